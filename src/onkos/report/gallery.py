"""Cases that every arm gets wrong: which they are, what each arm said, a small picture of each."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from onkos.core.case import Case, Cohort
from onkos.core.comparison import ArmResult, Comparison
from onkos.core.errors import OnkosError
from onkos.core.findings import Lesion
from onkos.core.judgement import JudgedCase
from onkos.core.mask import Mask
from onkos.core.plain import from_plain
from onkos.core.task import Task
from onkos.core.volume import Volume
from onkos.io.results import read_json
from onkos.io.whole import write_json
from onkos.report.colours import on_black
from onkos.report.display import scale_of
from onkos.report.parts import PARTS
from onkos.report.parts.part import Wrong
from onkos.report.pictures import Picture, flat_picture, grey, lesion_pictures, overview
from onkos.report.verdict import asked, deciding_metric, is_trivial

MOST = 12
_PIXELS = 300  # longest side of a small picture
_TOLD_BEST = ("t1c", "flair", "ct", "adc")  # of several images, the first of these is drawn
_SITES = ("brain", "lung")

Judged = tuple[JudgedCase | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A case as it is drawn; without a picture ``note`` says why."""

    picture: Picture | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """What ``gallery.json`` holds: pictures by case, and of which cohort they are."""

    cohort: tuple[str, ...]
    shots: Mapping[str, Shot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hard:
    """A case that every arm but the trivial ones gets wrong; what each arm said of it."""

    case: str
    patient: str
    truth: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardest:
    """The worst of them, how many there are in all, and what counts as wrong."""

    cases: tuple[Hard, ...]
    count: int
    wrong: str


def hardest(comparison: Comparison, task: Task) -> Hardest:
    """Find the cases that no arm gets right, the trivial ones not asked, worst first.

    What counts as wrong is the task's to say; a case that an arm was not run on, or did not
    answer, is not counted as its mistake.
    """
    metric, wrong = deciding_metric(comparison, task), PARTS[task].wrong
    if wrong is None:
        return Hardest(cases=(), count=0, wrong="")
    serious = [number for number, arm in enumerate(comparison.arms) if not is_trivial(arm)]
    found: list[tuple[float, Judged]] = []
    for judged in _by_case(comparison.arms, task):
        values = [_rightness(judged[number], metric, wrong) for number in serious]
        if values and all(is_wrong for is_wrong, _ in values):
            found.append((sum(value for _, value in values), judged))
    found.sort(key=lambda pair: pair[0])
    return Hardest(
        cases=tuple(_hard(comparison.arms, judged, metric, wrong) for _, judged in found[:MOST]),
        count=len(found),
        wrong=wrong.when(metric),
    )


def drawn(comparison: Comparison, cohort: Cohort) -> Gallery:
    """Draw the hardest cases from their images; one that cannot be drawn says why."""
    cases = {case.id: case for case in cohort.cases}
    site = next((name for name in _SITES if name in comparison.cohort.lower()), "")
    return Gallery(
        cohort=comparison.provenance.inputs,
        shots={
            hard.case: _shot(cases[hard.case], site)
            for task in asked(comparison)
            for hard in hardest(comparison, task).cases
            if hard.case in cases
        },
    )


def write(path: Path, gallery: Gallery) -> None:
    """Keep the pictures beside the comparison, so that its page can be made without the data."""
    write_json(path, gallery)


def load(path: Path, comparison: Comparison) -> Mapping[str, Shot]:
    """Take up kept pictures; none where there are none, or they are of another cohort.

    Raises
    ------
    ContentError
        If the file is not a gallery.
    """
    if not path.is_file():
        return {}
    gallery = from_plain(Gallery, read_json(path))
    return gallery.shots if gallery.cohort == comparison.provenance.inputs else {}


def _by_case(arms: Sequence[ArmResult], task: Task) -> list[Judged]:
    """What all arms made of each case; None where an arm was not run."""
    by_arm = [{(one.case, one.patient): one for one in arm.judgement.of(task)} for arm in arms]
    keys = dict.fromkeys(key for judged in by_arm for key in judged)
    return [tuple(judged.get(key) for judged in by_arm) for key in keys]


def _rightness(one: JudgedCase | None, metric: str, wrong: Wrong) -> tuple[bool, float]:
    """Whether an arm was wrong, and how far it was right."""
    return wrong.found(one, metric) if one is not None and one.answered else (False, math.nan)


def _hard(arms: Sequence[ArmResult], judged: Judged, metric: str, wrong: Wrong) -> Hard:
    first = next(one for one in judged if one is not None)
    return Hard(
        case=first.case,
        patient=first.patient,
        truth=first.truth,
        said=tuple(
            (arm.name, "not run" if one is None else wrong.said(one, metric))
            for arm, one in zip(arms, judged, strict=True)
        ),
    )


def _shot(case: Case, site: str) -> Shot:
    """One case, drawn; what a file does not allow is said in place of the picture."""
    try:
        return _pictured(case, site)
    except OnkosError as error:
        return Shot(picture=None, note=f"no picture: {error}")


def _pictured(case: Case, site: str) -> Shot:
    study = case.study
    if not study.volumes:
        return Shot(picture=None, note="no picture: the case is a row of a table")
    truth = case.outline if case.outlined else next(iter(study.masks), None)
    role = _role(study.volumes, truth)
    volume = study.volumes[role]
    window = scale_of(grey(volume), site=site).windows[0]
    tissues = [] if truth is None else list(truth.names.values())
    colours = {name: on_black(number) for number, name in enumerate(tissues)}
    if volume.geometry.ndim == 2:
        fits = truth is not None and truth.geometry.matches(volume.geometry)
        outline = truth if fits else None
        picture = flat_picture(volume, outline, window=window, colours=colours)
        seen = role
    else:
        outlined = truth is not None and truth.bounds() is not None
        outline = truth if outlined else None
        shown = grey(volume)
        if outline is None:
            picture = overview(shown, None, window=window, colours={})[0]
        else:
            lesion = Lesion(id="", where=outline, kind="", site="")
            picture = lesion_pictures(lesion, shown, outline, window=window, colours=colours)[0]
        seen = f"{role}, {picture.name}, window {window.name.lower()}"
    line = "; line: reference outline" if picture.outlines else ""
    return Shot(picture=_small(picture), note=f"{seen}{line}")


def _role(volumes: Mapping[str, Volume], truth: Mask | None) -> str:
    """The image to draw: one the outline was drawn on, of these the one that shows most."""
    fitting = [
        role
        for role, volume in volumes.items()
        if truth is None or truth.geometry.matches(volume.geometry)
    ] or list(volumes)
    return next((role for role in _TOLD_BEST if role in fitting), fitting[0])


def _small(picture: Picture) -> Picture:
    """The same picture with fewer pixels and, in colour, 256 colours."""
    data = base64.b64decode(picture.image.partition(",")[2])
    image = Image.open(io.BytesIO(data))
    longest = max(image.size)
    if longest > _PIXELS:
        image.thumbnail((_PIXELS, _PIXELS))
    if image.mode != "L":
        image = image.convert("RGB").quantize(256)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return replace(picture, image=address, reduced=picture.reduced or longest > _PIXELS)
