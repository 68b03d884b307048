"""Onkos: AI in tumour imaging, from a DICOM study to a defended answer.

Three verbs are the whole product: :func:`compare` methods, :func:`read` a study, follow a tumour.
"""

from __future__ import annotations

__version__ = "0.1.0"
