"""What a table of marks leaves open is filled in from its numbering, or refused."""

from __future__ import annotations

import pytest

from onkos.cohort.marks import inferred_lesions
from onkos.cohort.ratings import RatingTable
from onkos.core.errors import CohortError


def table(*rows: tuple[str, int, str]) -> RatingTable:
    """Rows of (case, truth, mark), all by one reader in one modality."""
    n = len(rows)
    return RatingTable(
        reader=("A",) * n,
        modality=("x",) * n,
        case=tuple(case for case, _, _ in rows),
        truth=tuple(bool(truth) for _, truth, _ in rows),
        rating=(1.0,) * n,
        mark=tuple(mark for _, _, mark in rows),
        lesion=("",) * n,
        seconds=(float("nan"),) * n,
    )


def test_missing_numbers_are_cases_without_marks():
    lesions, caveats = inferred_lesions(
        table(("0", 0, "NL"), ("2", 0, "NL"), ("3", 1, "LL"), ("3", 1, "LL"), ("6", 1, "NL"))
    )
    assert {case: len(found) for case, found in lesions.items()} == {
        "0": 0, "1": 0, "2": 0, "3": 2, "4": 1, "5": 1, "6": 1,
    }  # fmt: skip
    assert "3 case numbers have no row (2 among the abnormal ones)" in caveats[1].text


def test_a_number_between_the_classes_is_refused():
    with pytest.raises(CohortError, match=r"cases \[1\] have no mark"):
        inferred_lesions(table(("0", 0, "NL"), ("2", 1, "LL")))


def test_gaps_among_mixed_numbers_are_refused():
    with pytest.raises(CohortError, match=r"cases \[2\] have no mark"):
        inferred_lesions(table(("0", 1, "LL"), ("1", 0, "NL"), ("3", 1, "LL")))


def test_names_that_are_no_numbers_have_no_gaps():
    lesions, caveats = inferred_lesions(table(("a", 0, "NL"), ("c", 1, "NL")))
    assert {case: len(found) for case, found in lesions.items()} == {"a": 0, "c": 1}
    assert len(caveats) == 1
