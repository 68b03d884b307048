"""Time to an event: curves, comparisons, discrimination and calibration, each with its interval."""
