"""Areas under the ROC curve within the folds of a cross-validation, and their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.stats.delong import auc_interval
from onkos.stats.folded.held_out import HeldOut
from onkos.stats.folded.ranked import Average, Ranked, Spread, ranked
from onkos.stats.significance import SignificanceTest, quantile, tail

__all__ = ["HeldOut", "area_difference_within", "area_within"]

NO_PAIRS = "no fold has cases of two classes that could be ranked; use fewer folds"
ALONE = "a class has one patient, which says nothing about others"


def area_within(held: HeldOut, *, level: float = 0.95, average: Average = "hand-till") -> Estimate:
    """Chance that a diseased case outscores another one that was judged by the same model.

    The share of pairs of a diseased and another case, both held out in the same fold (and
    repeat), that are in order; ties count one half, folds without one of the classes bring no
    pairs. Scores of different folds are never compared: that would reward or punish a model
    for the share of diseased cases that it was trained on, and a model that knows nothing but
    that share would fall below 0.5. Here it has exactly 0.5.

    The interval is about the mean area of models fitted to as many cases as in training here,
    judged on new patients. It comes from the patients' influences (DeLong's variance for one
    fold and one case a patient) on the logit scale by Student's t. The folds are not
    independent, since each one's cases are among the others' training cases: the variance is
    twice that of independent folds or more for an area of 0.5
    (:func:`onkos.stats.folded.ranked.inflation`), less for a larger one, the same for 1.

    Parameters
    ----------
    held
        Held-out scores of an arm; of several classes where it names them.
    level
        Confidence level.
    average
        Of several classes: "hand-till" is Hand and Till's M, the mean over all pairs of classes;
        "macro" the mean over classes of each against all others.

    Returns
    -------
    Estimate
        NaN, with the reason in its method, where no fold has pairs; ``n`` counts patients. An
        arm that gives all cases of a fold one score has 0.5 with no interval, since that holds
        by construction. An area of 0 or 1 has Newcombe's interval.

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. doi:10.2307/2531595;
    Forman G, Scholz M. Apples-to-apples in cross-validation studies: pitfalls in classifier
    performance measurement. SIGKDD Explor 2010;12:49-57. doi:10.1145/1882471.1882479; Airola A,
    Pahikkala T, Waegeman W, De Baets B, Salakoski T. An experimental comparison of
    cross-validation techniques for estimating the area under the ROC curve. Comput Stat Data
    Anal 2011;55:1828-1844. doi:10.1016/j.csda.2010.11.018; Hand DJ, Till RJ. Mach Learn
    2001;45:171-186. doi:10.1023/A:1010920819831
    """
    found = ranked(held, average=average)
    low, high, by, notes = _interval(found, level)
    return Estimate(
        value=found.value,
        low=low,
        high=high,
        n=found.influence.shape[1],
        level=level,
        method=Method(
            what=_what(held, average),
            by=by,
            repeats=held.scores.shape[0],
            undefined=NO_PAIRS if math.isnan(found.value) else "",
            notes=(*_seen(found), *notes),
        ),
    )


def area_difference_within(
    first: HeldOut, second: HeldOut, *, level: float = 0.95, average: Average = "hand-till"
) -> SignificanceTest:
    """Test whether two arms rank differently within folds, on the same cases and folds.

    The variance is that between patients, enlarged for what folds share: twice or more for
    areas of 0.5, by nothing for areas of 1 (see :class:`onkos.stats.folded.ranked.Ranked`).
    Unless both arms are shown to rank better than chance it is that of arms that learnt
    nothing, since of two equally good arms neither is then known to be good. Whether it is
    shown is asked at the level of the interval, and p is the smallest level at which the
    interval leaves out zero. To differ from a constant arm is to rank otherwise than by chance.

    Of simulated (phantom) arms of equal worth 6 % or fewer are found to differ at p < 0.05, mostly
    2 to 5 %; 7 % in two folds with little signal. With folds taken for independent it is 10 to
    40 %, with all folds pooled up to 55 % (``bench/folded.py``).

    Parameters
    ----------
    first, second
        Held-out scores of the arms; the difference is first minus second.
    level, average
        As of :func:`area_within`.

    Returns
    -------
    SignificanceTest
        NaN where no fold has pairs; p = 1 and an interval of -1 to 1 where a class has one
        patient. ``error`` and ``df`` are those of the interval.

    Raises
    ------
    ContentError
        If the arms do not have the same cases, folds and patients.
    """
    first.beside(second)
    a, b = ranked(first, average=average), ranked(second, average=average)
    value, what = a.value - b.value, f"difference of {_what(first, average)} on the same cases"
    if math.isnan(value) or a.alone:
        return _unknown(a, value, what, level)
    steps = _steps(a, b)
    taken = min(
        (step for step in steps if step.after < 1 - level), key=lambda step: step.half(level)
    )
    half = taken.half(level)
    method = Method(
        what=what,
        by=f"{_between(a)}, Student's t",
        repeats=a.repeats,
        notes=(*_seen(a), *_cautions((a, b), level)),
    )
    return SignificanceTest(
        difference=Estimate(
            value=value,
            low=value - half,
            high=value + half,
            n=a.influence.shape[1],
            level=level,
            method=method,
        ),
        statistic=value / taken.error if taken.error > 0 else 0.0,
        p=min(step.p(value) for step in steps),
        error=taken.error,
        df=taken.df,
        method=method,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A standard error that holds for significance levels above ``after``."""

    after: float
    error: float
    df: float

    def half(self, level: float) -> float:
        """Half the width of the interval."""
        return quantile(level, df=self.df) * self.error

    def p(self, value: float) -> float:
        """Smallest significance level at which this step's interval leaves out zero."""
        if value == 0:
            return 1.0
        reached = 0.0 if self.error == 0 else value / self.error
        return max(self.after, tail(reached, df=self.df, alternative="two-sided"))


def _steps(a: Ranked, b: Ranked) -> tuple[_Step, ...]:
    """Standard error of arms that learnt nothing, and that once both are shown to have learnt."""
    alike = Spread.of(a.influence - b.influence, a.patients)
    apart = a.spread.variance + b.spread.variance

    def step(after: float, variance: float, df: float) -> _Step:
        """Sum of the arms' variances, correlated as the patients say."""
        share = alike.variance / apart if apart > 0 else 1.0
        if share == 0 and a.value != b.value:
            share = 1.0
        return _Step(after=after, error=math.sqrt(share * variance), df=df)

    shown = max((arm.p_chance for arm in (a, b) if not arm.tied), default=0.0)
    own = step(shown, a.own + b.own, alike.df)
    if a.inflation == 1:
        return (own,)
    known = a.tied or b.tied  # then the variance of chance is known, not estimated
    return step(0.0, a.least + b.least, math.inf if known else alike.df), own


def _interval(found: Ranked, level: float) -> tuple[float, float, str, tuple[str, ...]]:
    """Interval of an area, how it was made, and what else to know of it."""
    value, variance = found.value, found.spread.variance
    if math.isnan(value):
        return math.nan, math.nan, "", ()
    if found.tied:
        why = "all cases of a fold have one score: 0.5 by construction, not by their order"
        return value, value, "", (why,)
    if found.alone or variance == 0 or not 0 < value < 1:
        low, high = found.beyond(level=level)
        why = ALONE if found.alone else "no variance between patients"
        return low, high, "Newcombe's interval", (why,)
    normal = quantile(level)
    half = quantile(level, df=found.spread.df) * math.sqrt(found.own)
    if found.inflation > 1:
        shown = found.p_chance < 1 - level
        half = min(half if shown else math.inf, normal * math.sqrt(found.least))
    low, high = auc_interval(value, half / normal, level=level, scale="logit")
    by = f"{_between(found)}, logit interval, Student's t"
    return low, high, by, _cautions((found,), level)


def _unknown(found: Ranked, value: float, what: str, level: float) -> SignificanceTest:
    """Test that cannot be made: no pairs, or one patient of a class."""
    undefined = math.isnan(value)
    method = Method(
        what=what,
        undefined=NO_PAIRS if undefined else "",
        notes=_seen(found) if undefined else (*_seen(found), ALONE),
    )
    return SignificanceTest(
        difference=Estimate(
            value=value,
            low=value if undefined else -1.0,
            high=value if undefined else 1.0,
            n=found.influence.shape[1],
            level=level,
            method=method,
        ),
        statistic=math.nan,
        p=math.nan if undefined else 1.0,
        method=method,
    )


def _what(held: HeldOut, average: Average) -> str:
    if not held.classes:
        return "AUC within folds"
    if average == "macro":
        return f"mean AUC within folds of each of {len(held.classes)} classes against the others"
    return f"Hand and Till's M of {len(held.classes)} classes within folds"


def _seen(found: Ranked) -> tuple[str, ...]:
    """How much there was to rank."""
    said = [f"{found.pairs} pairs of the same fold"]
    if found.idle:
        said.append(f"{found.idle} of {found.folds} folds have one class only, so no pairs")
    return tuple(said)


def _between(found: Ranked) -> str:
    """Whose variance it is."""
    shared = ", enlarged because folds share training cases" if found.inflation > 1 else ""
    return f"variance between patients{shared}"


def _cautions(arms: tuple[Ranked, ...], level: float) -> tuple[str, ...]:
    """Say which arms may have learnt nothing."""
    names = ("first arm", "second arm") if len(arms) > 1 else ("arm",)
    doubtful = [
        name
        for name, arm in zip(names, arms, strict=True)
        if not arm.tied and arm.p_chance >= 1 - level
    ]
    if not doubtful:
        return ()
    return (f"{' and '.join(doubtful)} not shown to rank better than chance",)
