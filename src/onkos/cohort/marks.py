"""What a table of marks alone leaves open, filled in from its numbering, and said aloud."""

from __future__ import annotations

from collections.abc import Mapping

from onkos.cohort.ratings import RatingTable
from onkos.core.errors import CohortError
from onkos.core.source import Caveat

Lesions = dict[str, tuple[float, ...]]


def inferred_lesions(table: RatingTable) -> tuple[Lesions, tuple[Caveat, ...]]:
    """List the cases and lesions of an FROC study that came without such a list.

    A case in which nobody marked anything leaves no row, and a lesion that nobody found leaves
    no mark. Cases numbered from 0 or 1 on are taken to have no gaps: a missing number is a case
    that all read and none marked, normal if it lies among the normal ones, which come first.
    An abnormal case has as many lesions as the most marked in any reading of it, at least one.

    Returns
    -------
    lesions, caveats
        Weights of the lesions by case, all equal; and what was assumed.

    Raises
    ------
    CohortError
        If numbers are missing and cannot be told to be normal or abnormal.
    """
    truth = dict(zip(table.case, table.truth, strict=True))
    gaps = _gaps(truth)
    truth |= gaps
    counted: dict[tuple[str, str, str], int] = {}
    for key in zip(table.reader, table.modality, table.case, table.mark, strict=True):
        if key[3] == "LL":
            counted[key[:3]] = counted.get(key[:3], 0) + 1
    most: dict[str, int] = {}
    for (_, _, case), n in counted.items():
        most[case] = max(most.get(case, 0), n)
    lesions = {
        case: (1.0,) * max(most.get(case, 0), 1) if abnormal else ()
        for case, abnormal in truth.items()
    }
    return lesions, _said(gaps, truth)


def _gaps(truth: Mapping[str, bool]) -> dict[str, bool]:
    """Numbers that are missing among the cases', and whether each is abnormal."""
    if not all(case.isdigit() for case in truth):
        return {}
    numbers = {int(case): abnormal for case, abnormal in truth.items()}
    first = 0 if 0 in numbers else 1
    missing = [n for n in range(first, max(numbers)) if n not in numbers]
    normal = [n for n, abnormal in numbers.items() if not abnormal]
    abnormal = [n for n, yes in numbers.items() if yes]
    if not missing:
        return {}
    last, least = max(normal, default=-1), min(abnormal, default=max(numbers) + 1)
    undecided = [n for n in missing if last < n < least]
    if last > least or undecided:
        raise CohortError(
            f"cases {(undecided or missing)[:5]} have no mark, and their numbers do not tell "
            "whether they are normal; give --lesions, the list of cases with their lesions"
        )
    return {str(n): n > least for n in missing}


def _said(gaps: Mapping[str, bool], truth: Mapping[str, bool]) -> tuple[Caveat, ...]:
    abnormal = sum(truth.values())
    texts = [
        f"The table does not say how many lesions its {abnormal} abnormal cases have; as many are "
        "taken as the most that any reading marked, at least one. A lesion nobody found is not "
        "counted unless it is the only one. Give --lesions to be sure."
    ]
    if gaps:
        texts.append(
            f"{len(gaps)} case numbers have no row ({sum(gaps.values())} among the abnormal "
            "ones); they are taken as cases that every reader read without marking anything."
        )
    return tuple(Caveat(code="lesions-inferred", text=text) for text in texts)
