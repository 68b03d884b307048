"""Arms that find lesions and mark them with points or boxes."""

from __future__ import annotations

from onkos.arms.detect import blobs

__all__ = ["DETECTORS", "build"]

DETECTORS = {blobs.NAME: blobs.BrightestBlobs()}

build = blobs.from_weights
