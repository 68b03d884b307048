"""Names that differ by leading zeros only are refused, unless they are two cases indeed."""

from __future__ import annotations

import pytest

from onkos.core.errors import ContentError
from onkos.stats.readers.assembly import assemble
from reader_toys import Rows


def rows(**names: list[str]) -> Rows:
    """Each reader rates the cases named; those that begin with an even digit or b are abnormal."""
    found = Rows()
    for reader, cases in names.items():
        for number, case in enumerate(cases):
            abnormal = case.lstrip("0")[0] in "2468b"
            found.add(case, int(abnormal), float(number), reader=reader)
    return found


def test_zeros_lost_in_one_readers_rows_are_refused():
    table = rows(A=["001", "002", "010", "011"], B=["1", "2", "10", "011"])
    with pytest.raises(ContentError) as refused:
        assemble(table)
    said = str(refused.value)
    assert said.startswith("3 case names differ by leading zeros only: 001 (reader A, modality M)")
    assert "1 (reader B, modality M)" in said
    assert len(said) < 300


def test_zeros_lost_in_the_list_of_lesions_are_refused():
    table = Rows().add("007", 0, 1.0, "NL").add("12", 1, 2.0, "LL")
    with pytest.raises(ContentError, match=r"1 case names .* and 7 \(the list of lesions\)"):
        assemble(table, lesions={"7": [], "12": [1.0]})


def test_two_cases_that_one_reader_tells_apart_are_two():
    cases = ["1", "01", "2", "3"]
    assert len(assemble(rows(A=cases, B=cases)).cases) == 4
    assert len(assemble(rows(A=cases, B=["1", "2", "3"])).cases) == 4


def test_names_that_are_no_numbers_may_look_alike():
    assert len(assemble(rows(A=["a1", "a01", "b", "c"], B=["a1", "b", "c"])).cases) == 4


def test_readers_that_differ_by_zeros_only_are_refused():
    table = rows(**{"1": ["a", "b"], "01": ["a", "b"]})
    with pytest.raises(ContentError, match="reader 1 and reader 01 differ by leading zeros only"):
        assemble(table)
