"""What is computed from images for a learner: supervoxels, their statistics, and textons."""
