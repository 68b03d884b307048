"""What a damaged file makes a parser raise, told as a refusal with the file's name."""

from __future__ import annotations

import lzma
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onkos.core.errors import ContentError

#: Errors of any parser fed with damaged bytes.
DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    AssertionError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


@contextmanager
def refusing(path: Path, *others: type[Exception], what: str) -> Iterator[None]:
    """Turn what a parser raises in the block into :class:`ContentError`, and hush its warnings.

    Parameters
    ----------
    path
        The file that is read.
    others
        Errors of the parser's own beyond :data:`DAMAGE`.
    what
        What was expected, e.g. ``"NIfTI file"``.

    Raises
    ------
    ContentError
        If the block fails on what is in the file. A file that is not there stays
        :class:`FileNotFoundError`.
    """
    caught: tuple[type[Exception], ...] = (*DAMAGE, *others)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except caught as error:
        if isinstance(error, FileNotFoundError) and not path.exists():
            raise
        said = str(error) or type(error).__name__
        raise ContentError(
            f"{path}: not a readable {what}: {said}; export or copy it again"
        ) from error
