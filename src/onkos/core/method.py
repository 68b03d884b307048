"""How an estimate was made, as data; the sentence about it is made by the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a number and its interval were made.

    Parameters
    ----------
    what
        The statistic: ``"AUC"``, ``"mean over cases"``, ``"Harrell's C"``.
    by
        How its interval or its test was made: ``"DeLong's variance, logit interval"``,
        ``"percentile bootstrap by patient"``.
    resamples
        How many resamples or permutations were drawn; 0 where none were.
    repeats
        Over how many repeats of the folds it is the mean.
    share
        Of a proportion: how many of how many.
    undefined
        Why there is no value; empty where there is one.
    notes
        What else a reviewer must know, each in a few words: how many cases were missed and what
        they count as, tolerances, resamples that were left out.
    """

    what: str
    by: str = ""
    resamples: int = 0
    repeats: int = 1
    share: tuple[int, int] | None = None
    undefined: str = ""
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in one line, for a terminal or a log; pages use ``report.words``."""
        resampled = f"{self.resamples} resamples" if self.resamples else ""
        repeated = f"mean over {self.repeats} repeats of the folds" if self.repeats > 1 else ""
        share = "{} of {}".format(*self.share) if self.share else ""
        why = f"not defined on these cases: {self.undefined}" if self.undefined else ""
        parts = (self.what, share, self.by, resampled, why, *self.notes, repeated)
        return "; ".join(part for part in parts if part)
