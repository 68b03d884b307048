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


_MOST_SAID = 90


def said(error: BaseException) -> str:
    """What a parser says of damaged bytes, in one short line: they may quote all of the file."""
    kind, words = type(error).__name__, short(error)
    return f"{kind}: {words}" if words else kind


def short(value: object) -> str:
    """A value of a file, cut to what a message has room for."""
    words = plain(value)
    return words if len(words) <= _MOST_SAID else words[: _MOST_SAID - 3] + "..."


def plain(text: object) -> str:
    """Text of a file as people can read it: one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


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
        raise ContentError(
            f"{path}: not a readable {what}: {said(error)}; export or copy it again"
        ) from error
