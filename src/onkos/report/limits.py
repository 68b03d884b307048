"""What limits a comparison: arms that did not finish, and the caveats of single arms."""

from __future__ import annotations

from dataclasses import replace

from onkos.core.comparison import ArmResult, Comparison
from onkos.core.source import PHANTOM, Caveat
from onkos.report import words

_UNANSWERED = "unanswered"


def limits(comparison: Comparison) -> list[Caveat]:
    """List folds that failed, cases without an answer, and the caveats of all and of single arms.

    A caveat that not every arm has is told with the names of those that have it.
    """
    found = [*_failures(comparison), *comparison.caveats]
    arms = comparison.arms
    of_arms = dict.fromkeys(caveat for arm in arms for caveat in _own_caveats(arm))
    for caveat in of_arms:
        having = [arm.name for arm in arms if caveat in _own_caveats(arm)]
        told = caveat
        if len(having) < len(arms):
            told = replace(caveat, text=f"{words.listed(having)}: {caveat.text}")
        found.append(told)
    first = [caveat for caveat in found if caveat.code == _UNANSWERED]
    rest = [caveat for caveat in found if caveat.code not in (_UNANSWERED, PHANTOM.code)]
    return list(dict.fromkeys([*first, *rest]))


def unfinished(comparison: Comparison) -> str:
    """Say which arms did not answer every case, in a sentence; empty where all did."""
    said = []
    folds = comparison.folds * comparison.repeats
    for arm in comparison.arms:
        left = len(arm.judgement.unanswered)
        parts = []
        if arm.failed:
            parts.append(f"{len(arm.failed)} of {words.counted(folds, 'fold')} could not be run")
        if left:
            cases = words.counted(comparison.cases, "case")
            parts.append(f"{left} of {cases} without an answer")
        if parts:
            said.append(f"{arm.name}, {' and '.join(parts)}")
    if not said:
        return ""
    return (
        f"Not every arm answered every case: {'; '.join(said)}. A case without an answer counts "
        "as the worst there is."
    )


def _failures(comparison: Comparison) -> list[Caveat]:
    """Folds that could not be run, each arm with its reasons."""
    return [
        Caveat(
            code="failed-folds",
            text=f"{arm.name}: {words.counted(len(arm.failed), 'fold')} could not be run, and the "
            f"cases held out there have no answer. {' '.join(_ended(one) for one in arm.failed)}",
        )
        for arm in comparison.arms
        if arm.failed
    ]


def _own_caveats(arm: ArmResult) -> tuple[Caveat, ...]:
    """Caveats of an arm; cases without an answer are always among them."""
    judgement = arm.judgement
    if not judgement.unanswered or any(one.code == _UNANSWERED for one in judgement.caveats):
        return judgement.caveats
    told = words.listed(list(judgement.unanswered[:10]))
    n = len(judgement.unanswered)
    more = f" and {n - 10} more" if n > 10 else ""
    text = f"{words.counted(n, 'case')} without an answer: {told}{more}."
    return (Caveat(code=_UNANSWERED, text=text), *judgement.caveats)


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
