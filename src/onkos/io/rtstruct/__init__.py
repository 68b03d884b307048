"""RT structure sets: contours filled; written by :mod:`onkos.io.export.rtstruct`."""

from onkos.io.rtstruct.reading import read

__all__ = ["read"]
