"""RT structure sets: outlines as contours, written from masks and filled again."""

from onkos.io.rtstruct.reading import read
from onkos.io.rtstruct.writing import write

__all__ = ["read", "write"]
