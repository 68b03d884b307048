"""Onkos: AI in tumour imaging, from a DICOM study to a defended answer.

Three verbs are the whole product: :func:`compare` methods, :func:`read` a study, follow a tumour.
"""

from __future__ import annotations

from onkos.core.version import __version__

__all__ = ["__version__"]
