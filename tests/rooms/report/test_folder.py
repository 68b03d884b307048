"""A result's folder: what is written, and a reading taken up again from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.core.study import Patient
from onkos.io import export, intake, results
from onkos.report import comparison as comparison_page
from onkos.report import reading as reading_page
from onkos.report.folder import load_reading, write_comparison, write_reading


def names(paths):
    return [path.name for path in paths]


def same(one, other):
    """Two readings say the same and lie at the same voxels."""
    assert len(one.lesions) == len(other.lesions) > 0
    for mine, theirs in zip(one.lesions, other.lesions, strict=True):
        assert mine.measurements == theirs.measurements
        assert mine.uid == theirs.uid
        assert mine.where.geometry.matches(theirs.where.geometry)
        assert np.array_equal(mine.where.labels, theirs.where.labels)
    assert np.array_equal(one.mask.labels, other.mask.labels)
    assert dict(one.mask.names) == dict(other.mask.names)
    assert one.caveats == other.caveats
    assert one.provenance == other.provenance


def test_a_reading_of_files_without_dicom_is_taken_up_again(ball_reading, tmp_path):
    written = write_reading(tmp_path, ball_reading)
    assert names(written) == ["reading.json", "mask.nii.gz", "report.html"]
    assert all(path.is_file() for path in written)
    assert written[-1].read_text(encoding="utf-8") == reading_page.render(ball_reading)
    back = load_reading(tmp_path, ball_reading.study)
    same(ball_reading, back)
    assert reading_page.render(back) == reading_page.render(ball_reading)


def test_a_reading_of_dicom_is_taken_up_again(phantom_patient, reading_of, tmp_path):
    export.series.write_study(
        tmp_path / "study", phantom_patient.study, attributes=phantom_patient.attributes
    )
    study = intake.open_study(tmp_path / "study")
    reading = reading_of(replace(phantom_patient, study=study))
    written = write_reading(tmp_path / "reading", reading)
    assert names(written) == ["reading.json", "seg.dcm", "rtstruct.dcm", "sr.dcm", "report.html"]
    back = load_reading(tmp_path / "reading", study)
    same(reading, back)


def test_another_study_is_refused(ball_reading, tmp_path):
    write_reading(tmp_path, ball_reading)
    other = replace(ball_reading.study, patient=Patient(id="someone else"))
    with pytest.raises(ContentError, match="Give the study that was read"):
        load_reading(tmp_path, other)


def test_a_changed_outline_is_refused(ball_reading, tmp_path):
    write_reading(tmp_path, ball_reading)
    (tmp_path / "mask.nii.gz").unlink()
    with pytest.raises(ContentError, match=r"lists 1 lesions, its outline holds 0"):
        load_reading(tmp_path, ball_reading.study)


def test_a_comparison_is_written_with_its_page(comparison, tmp_path):
    written = write_comparison(tmp_path, comparison)
    assert names(written) == ["comparison.json", "report.html"]
    back = results.load_comparison(written[0])
    assert back == comparison
    assert written[1].read_text(encoding="utf-8") == comparison_page.render(back)
