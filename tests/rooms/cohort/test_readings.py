"""Tables of readings: their shapes, their order, and names that may be one."""

from __future__ import annotations

import pytest

from onkos.cohort.names import alike, ordered
from onkos.cohort.readings import load_readings
from onkos.cohort.scales import measured, rated
from onkos.core.errors import CohortError, UsageError
from reading_toys import write_long


def test_numbers_in_names_count_by_size():
    assert ordered(["P10", "P2", "p1", "P2"]) == ("p1", "P2", "P10")


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["001", "1"], [("001", "1")]),
        (["P 1", "p01"], [("P 1", "p01")]),
        (["12", "12.0"], [("12", "12.0")]),
        (["1", "10", "100"], []),
        (["a1b2", "a1b20"], []),
    ],
)
def test_spellings_of_one_name_are_found(names, pairs):
    assert [tuple(sorted(pair)) for pair in alike(names)] == [tuple(sorted(p)) for p in pairs]


def test_columns_called_as_elsewhere_are_taken(tmp_path):
    path = write_long(tmp_path / "t.csv", [(1, "A", 3), (1, "B", 4)], head="Case,rater,Value")
    table = load_readings(path)
    assert (table.column, table.readers) == ("value", ("A", "B"))


def test_columns_of_readers_keep_their_names(tmp_path):
    """``test`` and ``treatment`` mean a modality in reader studies; here they are readers."""
    path = write_long(tmp_path / "t.csv", [(1, 3, 4)], head="case,test,treatment")
    table = load_readings(path, readers=("test", "treatment"))
    assert table.readers == ("test", "treatment")
    assert measured(table, unit="mm").values[0, :, 0].tolist() == [3, 4]


def test_dates_put_the_first_reading_first(tmp_path):
    rows = [(1, "A", 9, "2026-03-01"), (1, "A", 7, "2026-01-01"), (1, "B", 5, "2026-02-01")]
    path = write_long(tmp_path / "t.csv", rows, head="case,reader,value,date")
    values = measured(load_readings(path), unit="mm").values
    assert values[0, 0].tolist() == [7, 9]
    assert values[0, 1, 0] == 5


def test_one_spelling_of_a_number_is_as_good_as_another(tmp_path):
    rows = [(1, "A", "3"), (1, "B", "3.0"), (2, "A", "03"), (2, "B", "4")]
    path = write_long(tmp_path / "t.csv", rows, head="case,reader,rating")
    assert rated(load_readings(path), scale="nominal").categories == (3.0, 4.0)


def test_alike_cases_of_one_reader_are_two_cases_with_a_caveat(tmp_path):
    rows = [(case, reader, 1) for case in ("P1", "P01") for reader in "AB"]
    path = write_long(tmp_path / "t.csv", rows, head="case,reader,rating")
    (caveat,) = load_readings(path).caveats
    assert caveat.code == "cases-alike"


@pytest.mark.parametrize(
    ("head", "row", "readers", "error"),
    [
        ("case,A", (1, 2), ("A", "B"), UsageError),
        ("case,reader,A", (1, "x", 2), ("A",), UsageError),
        ("case,reader,rating,value", (1, "A", 1, 2), (), CohortError),
        ("case,reader", (1, "A"), (), CohortError),
        ("case,reader,rating,session", (1, "A", 1, ""), (), CohortError),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, head, row, readers, error):
    path = write_long(tmp_path / "t.csv", [row, row], head=head)
    with pytest.raises(error):
        load_readings(path, readers=readers)


def test_a_case_of_two_patients_is_refused(tmp_path):
    rows = [(1, "P", "A", 1), (1, "Q", "B", 1)]
    path = write_long(tmp_path / "t.csv", rows, head="case,patient,reader,rating")
    with pytest.raises(CohortError, match="line 3"):
        load_readings(path)
