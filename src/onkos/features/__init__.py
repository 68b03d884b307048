"""Image features: radiomics, filters, picture descriptors, supervoxels and textons."""
