"""Numbers and names in the words of a report."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from onkos.core.estimate import Estimate
from onkos.core.method import Method

NO_INTERVAL = "no interval"

_UNITS = {"mm2": "mm²", "{pixels}": "pixels", "1": "", "[hnsf'U]": "HU", "g/ml": "SUV"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A number as it is printed, its interval beside it, and the method for whoever asks."""

    value: str
    interval: str
    method: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.interval})"


def ranged(value: float, low: float, high: float, *, method: str = "") -> Shown:
    """Print a number and its interval to the same decimal; three figures of the number."""
    if math.isnan(value):
        return Shown(value="not estimable", interval=NO_INTERVAL, method=method)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Shown(value=number(value), interval=NO_INTERVAL, method=method)
    tiny = abs(value) < 0.001
    decimals = min(_decimals(max(abs(low), abs(high)) if tiny else value), 4 if tiny else 3)
    below, above = _fixed(low, decimals), _fixed(high, decimals)
    joined = f"{below} to {above}" if low < 0 else f"{below}–{above}"
    return Shown(value=_fixed(value, decimals), interval=joined, method=method)


def estimated(estimate: Estimate) -> Shown:
    """Print an estimate; a level other than 95 % is named."""
    level = f"{100 * estimate.level:.3g} % interval"
    how = f"{level}; {method(estimate.method)}; n = {estimate.n}"
    shown = ranged(estimate.value, estimate.low, estimate.high, method=how)
    if estimate.level == 0.95 or shown.interval == NO_INTERVAL:
        return shown
    named = f"{100 * estimate.level:.3g} %: {shown.interval}"
    return Shown(value=shown.value, interval=named, method=how)


def number(value: float) -> str:
    """Three figures of a number, e.g. ``34.5``, ``0.082``, ``1230``; a true minus sign."""
    if not math.isfinite(value):
        return "not defined"
    if 0 < abs(value) < 0.001:
        return _signed(f"{value:.2g}")
    return _fixed(value, min(_decimals(value), 3))


def p_value(p: float) -> str:
    """A p-value: ``0.031``, ``< 0.001``."""
    if math.isnan(p):
        return "not testable"
    if p < 0.001:
        return "<\N{NO-BREAK SPACE}0.001"
    return f"{p:.2f}" if p >= 0.095 else f"{p:.3f}"


def seconds(value: float) -> str:
    """A duration as people say it."""
    if not math.isfinite(value):
        return "not known"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def counted(n: int, word: str) -> str:
    """A number of things, e.g. ``1 lesion``, ``2 lesions``."""
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def listed(words: list[str]) -> str:
    """Words joined as in a sentence."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def unit(ucum: str) -> str:
    """A UCUM unit as it is printed."""
    return _UNITS.get(ucum, ucum)


def method(made: Method | str) -> str:
    """How a number was made, in one line, e.g. ``AUC; DeLong's variance, logit interval``.

    The statistic comes first, then how its interval or its test was made, why there is no value
    where there is none, what else to know, and over how many repeats of the folds it is a mean.
    """
    if isinstance(made, str):
        return made
    resampled = counted(made.resamples, "resample") if made.resamples else ""
    why = f"not defined on these cases: {made.undefined}" if made.undefined else ""
    repeated = f"mean over {made.repeats} repeats of the folds" if made.repeats > 1 else ""
    how = ", ".join(part for part in (made.by, resampled) if part)
    parts = (made.what, share(made), how, why, *made.notes, repeated)
    return "; ".join(part for part in parts if part)


def share(made: Method | str) -> str:
    """How many of how many are behind a proportion, e.g. ``151 of 189``; else empty."""
    if isinstance(made, str) or made.share is None:
        return ""
    return "{} of {}".format(*made.share)


def without_share(made: Method | str) -> str:
    """How a number was made without the counts: proportions of one kind differ in them alone."""
    return made if isinstance(made, str) else method(replace(made, share=None))


def person(name: str) -> str:
    """A DICOM person name, family name first."""
    family, _, given = name.partition("^")
    rest = " ".join(given.replace("^", " ").split())
    return f"{family}, {rest}" if rest else family


def _decimals(value: float) -> int:
    """Decimals that leave three figures."""
    return max(2 - math.floor(math.log10(abs(value))), 0) if value else 0


def _fixed(value: float, decimals: int) -> str:
    return _signed(f"{value:.{decimals}f}")


def _signed(text: str) -> str:
    """A true minus sign, and none before a zero."""
    return text.replace("-", "−", 1) if float(text) else text.removeprefix("-")
