"""Structured reports, written and read."""

from __future__ import annotations

import datetime
import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest

from builders import PROVENANCE, shell, sourced, study_of
from onkos.clinic.lesions import describe, separate
from onkos.core.card import ErrorModel
from onkos.core.errors import ContentError
from onkos.core.findings import Point
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.reading import Reading
from onkos.io import export, sr

GRID = Geometry.upright(
    (61, 42, 21),
    spacing_mm=(1.1, 1.7, 3.2),
    origin_mm=(40, -75, 12),
    directions=np.array([[0.8, 0, -0.6], [0, -1, 0], [-0.6, 0, -0.8]]),
)
ERRORS = {
    "volume_ml:tumour": ErrorModel(mean_log_ratio=0.03, sd_log_ratio=0.2, n=12),
    "long_axis_mm:core": ErrorModel(mean_log_ratio=-0.1, sd_log_ratio=0.11, n=9),
}


def reading_of(mask, volume):
    parts, _ = separate(mask)
    return Reading(
        study=study_of(volume),
        reference="t1c",
        mask=mask,
        lesions=tuple(
            describe(part, number=n, uid=f"2.25.{n}77", site="brain", errors=ERRORS)
            for n, part in enumerate(parts, start=1)
        ),
        classes={},
        stage=None,
        caveats=(),
        card={},
        provenance=PROVENANCE,
    )


@pytest.fixture
def two_lesions():
    labels = shell(GRID, 9.0).labels.copy()
    labels[2:5, 2:5, 2:4] = 1
    return reading_of(
        Mask(labels=labels, geometry=GRID, names={1: "core", 2: "oedema"}), sourced(GRID)
    )


def write(folder, reading):
    volume = reading.study.volumes["t1c"]
    outline = export.seg.write(
        folder / "seg.dcm",
        masks=[reading.mask],
        volume=volume,
        study=reading.study,
        provenance=PROVENANCE,
    )
    return outline, export.sr.write(folder / "sr.dcm", reading=reading, outline=outline)


def test_what_is_written_is_read_back(tmp_path, two_lesions):
    write(tmp_path, two_lesions)
    back = sr.read(tmp_path / "sr.dcm")
    assert [one.id for one in back] == ["lesion-1", "lesion-2"]
    for mine, theirs in zip(two_lesions.lesions, back, strict=True):
        assert (theirs.uid, theirs.kind, theirs.site) == (mine.uid, "tumour", "brain")
        assert len(theirs.measurements) == len(mine.measurements) > 0
        for written, read in zip(mine.measurements, theirs.measurements, strict=True):
            assert (read.concept, read.ucum) == (written.concept, written.ucum)
            assert (read.method, read.tissue) == (written.method, written.tissue)
            assert read.value == pytest.approx(written.value, rel=1e-12)
            if written.interval is None:
                assert read.interval is None
            else:
                assert read.interval == pytest.approx(written.interval, rel=1e-9)
            if written.line is None:
                assert read.line is None
            else:
                assert read.line.start_mm == pytest.approx(written.line.start_mm, abs=1e-4)
                assert read.line.end_mm == pytest.approx(written.line.end_mm, abs=1e-4)
        assert isinstance(theirs.where, Point)
    assert any(one.interval for lesion in back for one in lesion.measurements)


def test_without_a_frame_of_reference_no_point_is_written(tmp_path, two_lesions):
    volume = two_lesions.study.volumes["t1c"]
    volume = replace(volume, source=replace(volume.source, frame_of_reference_uid=""))
    reading = replace(two_lesions, study=study_of(volume))
    write(tmp_path, reading)
    assert all(lesion.where is None for lesion in sr.read(tmp_path / "sr.dcm"))


def test_highdicom_reads_the_same_report(tmp_path, two_lesions):
    outline, made = write(tmp_path, two_lesions)
    theirs = hd.sr.srread(tmp_path / "sr.dcm")
    assert theirs.SOPInstanceUID == made.uid
    groups = theirs.content.get_volumetric_roi_measurement_groups(tracking_uid="2.25.177")
    assert [group.tracking_identifier for group in groups] == [
        "lesion-1",
        "lesion-1: core",
        "lesion-1: oedema",
    ]
    for group, segments in zip(groups, ([1, 2], [1], [2]), strict=True):
        image = next(
            one for one in group[0].ContentSequence if one.ValueType == "IMAGE"
        ).ReferencedSOPSequence[0]
        assert image.ReferencedSOPInstanceUID == outline.uid
        assert np.atleast_1d(image.ReferencedSegmentNumber).tolist() == segments
    axes = theirs.content.get_image_measurement_groups(tracking_uid="2.25.177")
    assert [len(group.get_measurements()) for group in axes] == [2, 2, 2]
    volume = groups[0].get_measurements(name=hd.sr.CodedConcept("118565006", "SCT", "Volume"))[0]
    assert volume.value == pytest.approx(two_lesions.lesions[0].measurements[0].value)
    assert volume.unit.value == "ml"


def test_every_object_named_is_evidence(tmp_path, two_lesions):
    outline, _ = write(tmp_path, two_lesions)
    (study,) = pydicom.dcmread(tmp_path / "sr.dcm").CurrentRequestedProcedureEvidenceSequence
    named = {
        one.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    source = two_lesions.study.volumes["t1c"].source
    assert named == {outline.uid, *(one.uid for one in source.instances)}


def test_a_reading_without_an_outline_is_not_written(tmp_path, two_lesions):
    outline, _ = write(tmp_path, two_lesions)
    with pytest.raises(ContentError, match="no outline"):
        export.sr.write(
            tmp_path / "b.dcm", reading=replace(two_lesions, mask=None), outline=outline
        )
    assert not (tmp_path / "b.dcm").exists()


def damage_title(whole):
    whole.ConceptNameCodeSequence[0].CodeValue = "126001"


def damage_value(whole):
    group = whole.ContentSequence[-1].ContentSequence[0]
    number = next(one for one in group.ContentSequence if one.ValueType == "NUM")
    del number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence


@pytest.mark.parametrize(
    ("damage", "words"),
    [(damage_title, "another kind"), (damage_value, "damaged structured report")],
)
def test_other_and_damaged_reports_are_refused(tmp_path, two_lesions, damage, words):
    write(tmp_path, two_lesions)
    whole = pydicom.dcmread(tmp_path / "sr.dcm")
    damage(whole)
    whole.save_as(tmp_path / "sr.dcm")
    with pytest.raises(ContentError, match=words):
        sr.read(tmp_path / "sr.dcm")


@pytest.mark.tools
def test_validators_find_no_error(tmp_path, two_lesions, tool):
    write(tmp_path, two_lesions)
    check = subprocess.run(
        [tool("dciodvfy"), "-new", tmp_path / "sr.dcm"], capture_output=True, text=True, check=False
    )
    assert "Comprehensive3DSR" in check.stderr
    assert "Error" not in check.stderr
    printed = subprocess.run(
        [tool("dsrdump"), tmp_path / "sr.dcm"], capture_output=True, text=True, check=True
    )
    assert "lesion-2" in printed.stdout
    assert datetime.date.today().strftime("%Y-%m-%d") in printed.stdout
