"""Long tables into studies; what contradicts itself is refused."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.readers.assembly import assemble, kind_of
from onkos.stats.readers.foms import values
from onkos.stats.readers.localisation import MAX_LLF, MAX_NLF, WAFROC
from reader_toys import Rows


def froc():
    """Case n1 has a false mark, n2 none; a1 one of two lesions found, a2 nothing marked."""
    rows = Rows().add("n1", 0, 2.0, "NL").add("a1", 1, 3.0, "LL").add("a1", 1, 1.0, "NL")
    return rows, {"n1": [], "n2": [], "a1": [1.0, 1.0], "a2": [1.0]}


def test_names_that_are_numbers_are_ordered_as_numbers():
    rows = Rows()
    for case, truth in (("10", 1), ("9", 0)):
        rows.add(case, truth, float(case))
    assert assemble(rows).cases == ("9", "10")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (Rows().add("n", 0, 1.0).add("a", 1, 2.0).add("a", 1, 3.0), "case a .row 3.: read twice"),
        (Rows().add("n", 0, 1.0).add("a", 1, np.nan), "case a .row 2.: rating nan"),
        (Rows().add("n", 0, 1.0).add("n", 1, 2.0), "case n: truth 1 in row 2 and 0 elsewhere"),
        (Rows(), "no rows"),
    ],
)
def test_roc_tables_that_contradict_themselves_are_refused(rows, message):
    with pytest.raises(ContentError, match=message):
        assemble(rows)


def test_froc_counts_missed_lesions_and_cases_without_marks():
    rows, lesions = froc()
    study = assemble(rows, lesions=lesions)
    assert study.kind == "FROC"
    assert values(study, MAX_LLF) == pytest.approx(np.array([[1 / 3]]))
    assert values(study, MAX_NLF) == pytest.approx(np.array([[1 / 2]]))
    # a1: half its weight beats n1 (2.0) and n2 (none), half ties with n2 alone; a2 ties with n2
    expected = ((0.5 + 0) + (0.5 + 0.25) + (0 + 0.5)) / 4
    assert values(study, WAFROC) == pytest.approx(np.array([[expected]]))


def test_unequal_weights_need_the_lesion_hit():
    rows, lesions = froc()
    lesions["a1"] = [0.9, 0.1]
    with pytest.raises(ContentError, match="weigh differently, name each one hit"):
        assemble(rows, lesions=lesions)
    rows.lesion[1] = "2"
    study = assemble(rows, lesions=lesions)
    expected = ((0.1 + 0) + (0.1 + 0.9 / 2) + (0 + 0.5)) / 4
    assert values(study, WAFROC) == pytest.approx(np.array([[expected]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows, les: les.pop("a1"), "case a1 has ratings but is not in the list"),
        (
            lambda rows, les: rows.add("a2", 1, 1.0, "LL").add("a2", 1, 2.0, "LL"),
            "mark 2 on a case",
        ),
        (lambda rows, les: rows.add("n2", 0, 1.0, "LL"), "mark 1 on a case with 0 lesions"),
        (lambda rows, les: rows.add("n2", 0, 1.0, "XX"), "expected NL or LL"),
        (lambda rows, les: rows.add("n2", 0, np.nan, "NL"), "both empty where nothing was marked"),
        (lambda rows, les: les.update(n1=[1.0]), "case n1: truth 0 in row 1 and 1 elsewhere"),
        (lambda rows, les: les.update(a2=[-1.0]), "case a2: lesion weights"),
    ],
)
def test_froc_tables_that_cannot_be_right_are_refused(change, message):
    rows, lesions = froc()
    change(rows, lesions)
    with pytest.raises(ContentError, match=message):
        assemble(rows, lesions=lesions)


def test_froc_without_a_list_of_cases_is_refused():
    rows, _ = froc()
    assert kind_of(rows) == "FROC"
    with pytest.raises(ContentError, match="give the list of cases and lesions"):
        assemble(rows)


def test_an_empty_rating_says_read_and_nothing_marked():
    rows, lesions = froc()
    rows.add("n1", 0, np.nan, reader="B")
    study = assemble(rows, lesions=lesions)
    assert study.read.all()
    assert values(study, MAX_NLF)[1, 0] == 0


def test_marks_that_only_repeat_the_truth_are_an_roc_study():
    rows = Rows().add("n", 0, 1.0, "NL").add("a", 1, 2.0, "LL")
    assert kind_of(rows) == "ROC"
    rows.add("n", 0, 1.0, "NL", reader="B")  # B has no rating of a: an unmarked case, or unread?
    assert kind_of(rows) == "FROC"


def test_lroc_takes_the_higher_of_two_places():
    rows = Rows().add("n", 0, 1.0, "NL").add("a", 1, 0.0, "LL").add("a", 1, 5.0, "LL_IL")
    rows.add("b", 1, 4.0, "LL").add("b", 1, 0.0, "LL_IL")
    study = assemble(rows)
    assert study.kind == "LROC"
    np.testing.assert_array_equal(study.highest[0, 0], [5.0, 4.0, 1.0])
    np.testing.assert_array_equal(study.marks.lesion[0, 0, :, 0], [-np.inf, 4.0, -np.inf])


def test_reading_times_must_agree_within_a_reading():
    rows, lesions = froc()
    rows.seconds = [10.0, 20.0, 21.0]
    with pytest.raises(ContentError, match="one reading has one time"):
        assemble(rows, lesions=lesions)
    rows.seconds = [0.0, 20.0, 20.0]
    with pytest.raises(ContentError, match="expected > 0"):
        assemble(rows, lesions=lesions)
    rows.seconds = [10.0, 20.0, 20.0]
    np.testing.assert_array_equal(
        assemble(rows, lesions=lesions).seconds[0, 0], [20.0, np.nan, 10.0, np.nan]
    )
