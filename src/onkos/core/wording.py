"""Text as people and machines can read it: printable, and no longer than a message may be."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 300  # characters of a message
#: Words that are shortened, one kind after the other, and how much of their end is kept.
_SHORTENED: Final = ((r"\(?\d[\d.]{23,}\)?", 12), (r"\S{61,}", 40), (r"\S{31,}", 20))
_GAP = " ... "


def printable(text: str) -> str:
    r"""Text whose control characters, and bytes that are no text, are written as escapes.

    >>> printable("a\x1b[1m")
    'a\\x1b[1m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def brief(text: str) -> str:
    """A message of at most :data:`LONGEST` characters, printable, with its beginning and end.

    What is too long loses the beginnings of its identifiers, then of its longest paths, at last
    its middle: the end holds the remedy.
    """
    text = printable(text)
    for words, kept in _SHORTENED:
        while len(text) > LONGEST and (long := max(re.findall(words, text), key=len, default="")):
            text = text.replace(long, f"...{long[-kept:]}", 1)
    if len(text) <= LONGEST:
        return text
    head = (LONGEST - len(_GAP)) // 2
    return text[:head].rstrip() + _GAP + text[-(LONGEST - len(_GAP) - head) :].lstrip()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
