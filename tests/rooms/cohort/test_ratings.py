"""Tables of ratings as files."""

from __future__ import annotations

import gzip
import math

import pytest

from onkos.cohort.ratings import load_lesions, load_ratings
from onkos.core.errors import CohortError

TABLE = "reader,modality,case,truth,rating\nA,film,1,0,2.5\nA,film,2,1,4\n"


def written(tmp_path, text, name="ratings.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_read(tmp_path):
    table = load_ratings(written(tmp_path, TABLE))
    assert table.reader == ("A", "A")
    assert table.case == ("1", "2")
    assert table.truth == (False, True)
    assert table.rating == (2.5, 4.0)
    assert table.mark == ("", "")
    assert math.isnan(table.seconds[0])


def test_marks_times_and_gzip_and_foreign_columns(tmp_path):
    path = tmp_path / "r.csv.gz"
    text = (
        "reader,modality,case,truth,mark,rating,time_s,room\n"
        "A,film,1,0,,,12,x\nA,film,2,1.0,LL,4,30.5,y\n"
    )
    path.write_bytes(gzip.compress(text.encode()))
    table = load_ratings(path)
    assert math.isnan(table.rating[0])
    assert table.mark == ("", "LL")
    assert table.truth == (False, True)
    assert table.seconds == (12.0, 30.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE.replace("truth", "label"), "expected .*'truth'.*, each column once"),
        (TABLE.replace("2.5", "high"), "line 2: rating 'high'; expected a number"),
        (TABLE.replace("2.5", "nan"), "line 2: rating 'nan'; expected a number"),
        (TABLE.replace(",1,4", ",maybe,4"), "line 3: truth 'maybe'; expected 0 or 1"),
        (TABLE.replace("A,film,2", ",film,2"), "line 3: reader must not be empty"),
        (TABLE + "A,film,3,1\n", "line 4: 4 cells under 5 columns"),
        (TABLE.split("\n")[0], "no rows under the header"),
        ("", "each column once"),
        (
            "reader,modality,case,truth,rating,mark\nA,f,1,0,2,NLL\n",
            "line 2: mark 'NLL'; expected one of NL, LL, LL_IL",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(tmp_path, text, message):
    with pytest.raises(CohortError, match=message):
        load_ratings(written(tmp_path, text))


def test_a_file_that_is_none_or_no_text(tmp_path):
    with pytest.raises(CohortError, match="no such table"):
        load_ratings(tmp_path / "absent.csv")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"\x1f\x8b\x00\xff")
    with pytest.raises(CohortError, match="not a table of comma-separated"):
        load_ratings(broken)


def test_lesions_with_and_without_weights(tmp_path):
    path = written(tmp_path, "case,lesions,weights\nn,0,\na,2,0.7 0.3\nb,3,\n")
    assert load_lesions(path) == {"n": (), "a": (0.7, 0.3), "b": (1.0, 1.0, 1.0)}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,two,", "line 2: invalid literal"),
        ("a,2,0.5", "2 lesions with weights"),
        ("a,1,-1", "one weight above 0"),
        ("a,1,\na,1,", "line 3: case 'a' is empty or was listed before"),
    ],
)
def test_lists_of_lesions_that_contradict_themselves(tmp_path, rows, message):
    with pytest.raises(CohortError, match=message):
        load_lesions(written(tmp_path, f"case,lesions,weights\n{rows}\n"))
