"""What a file is, from its name and header alone."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")


def dimensions(path: Path) -> int | None:
    """2 for a picture, 3 for a volume, None where only reading it would tell."""
    name = path.name.lower()
    if name.endswith(_PICTURES):
        return 2
    if name.endswith((".nii", ".nii.gz")):
        try:
            shape = nib.load(path).shape  # reads the header only
        except (OSError, ValueError, nib.filebasedimages.ImageFileError):
            return None
        return 3 if len([side for side in shape if side > 1]) > 2 else None
    return None
