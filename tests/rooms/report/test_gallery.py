"""Cases that every arm gets wrong: which ones, and how they are drawn or said not to be."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from onkos.core.case import Case, Cohort, known_truths
from onkos.core.errors import ContentError, GeometryError
from onkos.core.geometry import Geometry
from onkos.core.mask import Mask
from onkos.core.study import Patient, Study
from onkos.core.task import Task
from onkos.core.volume import Volume
from onkos.report import comparison as page
from onkos.report import folder, gallery
from onkos.report.gallery import MOST, drawn, hardest
from toys import toy_cohort


def with_dice(comparison, values: dict[str, list[float]]):
    """The comparison with other Dice of the first cases, arm by arm."""
    arms = []
    for arm in comparison.arms:
        dice, cases = values.get(arm.name, []), arm.judgement.cases
        changed = [
            replace(one, values={**one.values, "dice:tumour": value})
            for one, value in zip(cases, dice, strict=False)
        ]
        judgement = replace(arm.judgement, cases=(*changed, *cases[len(changed) :]))
        arms.append(replace(arm, judgement=judgement))
    return replace(comparison, arms=tuple(arms))


def test_only_what_every_serious_arm_gets_wrong_is_hard(comparison):
    found = with_dice(
        comparison,
        {
            "threshold": [0.49, 0.1, 0.2, 0.1, math.nan],
            "twin": [0.4, 0.2, 0.9, 0.5, 0.1],
            "poor": [0.9, 0.9, 0.1, 0.1, 0.1],
        },
    )
    wrong = hardest(found, Task.SEGMENT)
    names = [one.case for one in found.arms[0].judgement.cases]
    assert [hard.case for hard in wrong.cases] == [names[1], names[0]]  # the worst first
    assert wrong.count == 2
    assert dict(wrong.cases[1].said)["poor"] == "Dice, tumour 0.900"  # the trivial one is told


def test_a_case_that_an_arm_did_not_answer_is_not_its_mistake(comparison, of_arm):
    found = with_dice(comparison, {"threshold": [0.1], "twin": [0.1]})
    twin = found.arms[1]
    first, *others = twin.judgement.cases
    without = replace(found, arms=(found.arms[0], of_arm(twin, cases=tuple(others))))
    silent = of_arm(twin, cases=(replace(first, answered=False), *others))
    assert hardest(replace(found, arms=(found.arms[0], silent)), Task.SEGMENT).count == 0
    assert hardest(found, Task.SEGMENT).count == 1
    assert hardest(without, Task.SEGMENT).count == 0


def test_no_more_than_twelve_are_shown_and_all_are_counted(comparison, of_arm):
    low = [0.1] * 12
    found = with_dice(comparison, {"threshold": low, "twin": low})
    many = replace(
        found,
        arms=tuple(
            of_arm(
                arm,
                cases=(
                    *arm.judgement.cases,
                    *(replace(one, case=f"{one.case}-2") for one in arm.judgement.cases),
                ),
            )
            for arm in found.arms
        ),
    )
    assert (hardest(many, Task.SEGMENT).count, len(hardest(many, Task.SEGMENT).cases)) == (24, MOST)


def case(volume: Volume | None, mask: Mask | None = None, name: str = "one") -> Case:
    volumes = {} if volume is None else {"image": volume}
    study = Study(patient=Patient(id="P"), volumes=volumes)
    return Case(
        id=name,
        patient="P",
        load=lambda: study,
        truths=known_truths(outline=None if mask is None else lambda: mask),
    )


def shot(comparison, made: Case):
    """How a case is drawn when it is the hardest."""
    found = with_dice(comparison, {"threshold": [0.1], "twin": [0.1]})
    name = found.arms[0].judgement.cases[0].case
    cohort = Cohort(name="balls", cases=(replace(made, id=name),))
    return drawn(found, cohort).shots[name]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_picture_is_made_small_and_keeps_its_outline(comparison, rng, channels):
    shape = (900, 700) if channels == 1 else (900, 700, channels)
    grid = Geometry.picture((900, 700))
    volume = Volume(
        data=rng.integers(0, 255, size=shape, dtype=np.uint8),
        geometry=grid,
        modality="US",
        unit="1",
    )
    labels = np.zeros((900, 700), dtype=np.uint8)
    labels[200:400, 300:600] = 1
    made = shot(comparison, case(volume, Mask(labels=labels, geometry=grid, names={1: "mass"})))
    assert made.picture is not None
    assert made.picture.reduced
    assert [outline.tissue for outline in made.picture.outlines] == ["mass"]
    image = Image.open(io.BytesIO(base64.b64decode(made.picture.image.partition(",")[2])))
    assert max(image.size) <= 300
    assert image.width > image.height
    assert len(made.picture.image) < 150_000
    assert made.note == "image; line: reference outline"


def test_a_volume_without_outline_is_cut_through_its_middle(comparison):
    made = shot(comparison, replace(toy_cohort(1).cases[0], truths=known_truths(outline=None)))
    assert made.picture is not None
    assert made.picture.outlines == ()
    assert made.note == "flair, axial, window full range"


def test_what_cannot_be_drawn_says_why(comparison):
    assert shot(comparison, case(None)).note == "no picture: the case is a row of a table"

    def broken() -> Study:
        raise GeometryError("series 7: a gap")

    made = shot(comparison, Case(id="x", patient="P", load=broken))
    assert (made.picture, made.note) == (None, "no picture: series 7: a gap")


def test_pictures_of_another_cohort_are_not_shown(comparison, tmp_path, parsed):
    found = with_dice(comparison, {"threshold": [0.1], "twin": [0.1]})
    folder.write_comparison(tmp_path, found, toy_cohort(12))
    assert gallery.load(tmp_path / "gallery.json", found)
    other = replace(found, provenance=replace(found.provenance, inputs=("other",)))
    assert gallery.load(tmp_path / "gallery.json", other) == {}
    assert "no picture was kept" in parsed(page.render(other)).text


def test_a_damaged_gallery_is_refused(comparison, tmp_path):
    folder.write_comparison(tmp_path, comparison)
    (tmp_path / "gallery.json").write_text('{"cohort": [1]}')
    with pytest.raises(ContentError, match="Gallery"):
        folder.rewrite_comparison(tmp_path)
