"""The classic families: members that learn from a table of features or from a patient's voxels."""
