"""Marks of one reader gathered over cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.core.errors import CohortError, ContentError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.stats.marks import Marks
from onkos.stats.matching import by_distance, match_marks


def one_case(marks: list[float], lesions: list[float], scores: list[float]):
    centres, truth = [[mark] for mark in marks], [[lesion] for lesion in lesions]
    return match_marks(by_distance(centres, truth, within_mm=1.0), scores)


MATCHINGS = [
    one_case([0.0, 0.5, 7.0], [0.0, 20.0], [0.9, 0.8, 0.3]),
    one_case([], [], []),
    one_case([], [5.0], []),
]


ONE = Estimate(
    value=0.5,
    low=0.4,
    high=0.6,
    n=3,
    method=Method(what="AFROC", by="by hand", notes=("one more",)),
)


def gathered(**options: object) -> Marks:
    return Marks.of(MATCHINGS, cases=["x", "y", "z"], **options)


def test_cases_without_marks_or_lesions_count():
    found = gathered()
    assert found.cases == found.patients == ("x", "y", "z")
    assert (found.false_case.tolist(), found.false_score.tolist()) == ([0], [0.3])
    assert found.lesion_case.tolist() == [0, 0, 2]
    assert found.lesion_score.tolist() == [0.9, -np.inf, -np.inf]
    assert found.lesions_per_case.tolist() == [2, 0, 1]
    assert (found.unmarked, found.patients_missed) == (2, 2)
    told = found.told(ONE)
    assert told.missed == 2
    assert told.method == Method(
        what="AFROC",
        by="by hand",
        notes=(
            "one more",
            "3 cases, 3 lesions of which 2 without a mark",
            "double marks ignored",
        ),
    )


def test_double_marks_cost_only_where_asked():
    found = gathered(doubles="false")
    assert sorted(found.false_score.tolist()) == [0.3, 0.8]
    assert found.told(ONE).method.notes[-1] == "double marks count as false"


def test_misses_are_counted_by_patient():
    assert gathered(patients=["p", "q", "p"]).patients_missed == 1


def test_weights_stay_with_their_lesions():
    assert gathered(weights=[[1, 4], [], [2]]).lesion_weight.tolist() == [1, 4, 2]


def test_what_is_refused():
    with pytest.raises(CohortError, match="1 cases appear twice"):
        Marks.of(MATCHINGS, cases=["x", "y", "x"])
    with pytest.raises(ContentError, match="2 patients for 3 cases"):
        gathered(patients=["p", "q"])
    with pytest.raises(ContentError, match="3 matchings for 2 cases"):
        Marks.of(MATCHINGS, cases=["x", "y"])
    with pytest.raises(ContentError, match="0 patients for 0 cases"):
        Marks.of([], cases=[])
    with pytest.raises(ContentError, match="weight is not a positive"):
        gathered(weights=[[1, 0], [], [2]])
    with pytest.raises(ContentError, match="differ in number"):
        gathered(weights=[[1], [], [2]])
    found = gathered()
    with pytest.raises(ContentError, match="false mark is not finite"):
        replace(found, false_score=np.array([np.nan]))
    with pytest.raises(ContentError, match="lesion's score"):
        replace(found, lesion_score=np.array([np.nan, 0.0, 0.0]))
    with pytest.raises(ContentError, match="beyond the 3"):
        replace(found, false_case=np.array([3]))
    with pytest.raises(ContentError, match="none of 1 cases has a lesion"):
        Marks.of(MATCHINGS[1:2], cases=["y"]).require_lesions(doing="FROC")
