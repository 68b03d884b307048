"""Colours that people with any colour vision tell apart."""

from __future__ import annotations

# Okabe M, Ito K. Color Universal Design. 2008. https://jfly.uni-koeln.de/color/
_ON_BLACK = ("#E69F00", "#56B4E9", "#F0E442", "#CC79A7", "#009E73", "#D55E00", "#0072B2")
_ON_WHITE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def on_black(number: int) -> str:
    """Colour of the n-th outline (from 0) over a dark image."""
    return _ON_BLACK[number % len(_ON_BLACK)]


def on_white(number: int) -> str:
    """Colour of the n-th arm (from 0) on a white page."""
    return _ON_WHITE[number % len(_ON_WHITE)]
