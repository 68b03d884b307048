"""What people look at: one self-contained page for a reading, one for a comparison.

Nothing is computed here that is not already in the result: numbers are put into words, pixels
are cut and windowed for pictures, and the page carries all of it without a network.
"""
