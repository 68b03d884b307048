"""What all layouts share."""

from __future__ import annotations

import gzip

import pytest

from onkos.cohort.layouts.folder import (
    cohort_of,
    facts_case,
    file_in,
    fingerprint,
    found,
    known,
    rows_of,
)
from onkos.core.errors import CohortError


def test_a_set_is_found_in_the_folder_given_or_as_it(tmp_path):
    (tmp_path / "published" / "benign").mkdir(parents=True)
    inside = found(tmp_path, "ours", "published", holds="benign")
    itself = found(tmp_path / "published", "ours", "published", holds="benign")
    assert inside == itself == tmp_path / "published"


def test_a_folder_of_the_name_that_lacks_the_set_is_refused(tmp_path):
    (tmp_path / "ours").mkdir()
    with pytest.raises(CohortError, match=r"no folder 'ours' with 'table.csv' in it"):
        found(tmp_path, "ours", holds="table.csv")


def test_a_missing_file_is_named_by_all_its_names(tmp_path):
    (tmp_path / "b.csv").write_text("x\n")
    assert file_in(tmp_path, "a.csv", "b.csv") == tmp_path / "b.csv"
    with pytest.raises(CohortError, match=r"no file c.csv or d.csv"):
        file_in(tmp_path, "c.csv", "d.csv")


def test_rows_are_stripped_and_gzip_is_read_alike(tmp_path):
    text = "\ufeffname , age\n A,  61\nB,\n"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode("utf-8")))
    expected = [{"name": "A", "age": "61"}, {"name": "B", "age": ""}]
    assert rows_of(tmp_path / "t.csv", "name") == rows_of(tmp_path / "t.csv.gz") == expected


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "no such table"),
        ("empty.csv", b"", "no columns"),
        ("other.csv", b"x,y\n1,2\n", "no columns"),
        ("latin.csv", b"name\n\xe4\xff\n", "damaged table"),
        ("plain.csv.gz", b"name\n1\n", "damaged table"),
        ("cut.csv.gz", gzip.compress(b"name\n" + b"1\n" * 999, mtime=0)[:30], "damaged table"),
    ],
)
def test_a_table_missing_damaged_or_of_another_kind_is_refused(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CohortError, match=says):
        rows_of(tmp_path / name, "name")


def test_facts_are_renamed_and_empty_ones_left_out():
    assert known({"Age at MRI": "61", "Sex": ""}, {"age": "Age at MRI", "sex": "Sex"}) == {
        "age": "61"
    }


def test_a_case_of_facts_shows_the_same_facts_to_arms_as_it_has():
    case = facts_case("c", "P", facts={"age": "61"}, target="yes", site="A")
    assert dict(case.study.facts) == dict(case.covariates) == {"age": "61"}
    assert (case.study.patient.id, case.target, case.site) == ("P", "yes", "A")
    assert not case.study.volumes


def test_a_set_without_cases_is_refused(tmp_path):
    with pytest.raises(CohortError, match="no cases of ours"):
        cohort_of([], name="ours", folder=tmp_path)


def test_the_fingerprint_changes_with_files_and_question(tmp_path):
    (tmp_path / "a").write_text("1")
    before = fingerprint(tmp_path, "stage")
    assert fingerprint(tmp_path, "stage") == before
    assert fingerprint(tmp_path, "grade") != before
    (tmp_path / "a").write_text("12")
    assert fingerprint(tmp_path, "stage") != before
