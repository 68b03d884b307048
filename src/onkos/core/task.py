"""What can be asked of a tumour study."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """A kind of question; each has one type of truth, one type of answer and one judge.

    ``CLASSIFY`` tells classes apart, ``SEGMENT`` outlines tissue, ``DETECT`` finds lesions and
    marks them, ``PROGNOSE`` foretells when an event comes, ``RECONSTRUCT`` makes an image.
    """

    CLASSIFY = "classify"
    SEGMENT = "segment"
    DETECT = "detect"
    PROGNOSE = "prognose"
    RECONSTRUCT = "reconstruct"
