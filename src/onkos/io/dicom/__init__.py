"""DICOM images: from files to volumes, refusing what does not add up."""
