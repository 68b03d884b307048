"""The analysis of a reader study, from its table of ratings to the files of the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onkos.cohort.ratings import load_lesions, load_ratings
from onkos.core.plain import to_plain
from onkos.core.source import Caveat
from onkos.io.whole import write_json, write_text
from onkos.report import readers as page
from onkos.stats.readers import reading_time
from onkos.stats.readers.analysis import USUAL_FOMS, ReaderAnalysis, analyse
from onkos.stats.readers.assembly import assemble, kind_of
from onkos.stats.readers.covariance import CovarianceMethod
from onkos.stats.readers.ratings import ReaderStudy
from onkos.stats.readers.standalone import against_readers

JSON, PAGE = "readers.json", "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """A reader study's results and what they rest on."""

    name: str
    analysis: ReaderAnalysis
    caveats: tuple[Caveat, ...]
    extra: page.Extra

    def plain(self) -> dict[str, Any]:
        """Form of ``readers.json``."""
        caveats = [{"code": c.code, "text": c.text} for c in self.caveats]
        extra = self.extra
        return {
            **self.analysis.plain(),
            "standalone": extra.standalone.test.row() if extra.standalone else None,
            "reading_time": to_plain(extra.times),
            "caveats": caveats,
        }


def analysed(ratings: Path, lesions: Path | None, *, software: str, seed: int) -> Analysed:
    """Analyse a table of ratings by every method its design allows.

    Where the table has times they are compared; ``software`` names the reader, if one is, that
    read alone as a program and is held against the others. Free-response marks need ``lesions``,
    the list of cases and lesions: without it they are refused.
    """
    table = load_ratings(ratings)
    listed = load_lesions(lesions) if lesions else None
    kind = kind_of(table, lesions=listed)
    study = assemble(table, kind=kind, lesions=listed)
    covariances: tuple[CovarianceMethod, ...] = ("jackknife",)
    if kind == "ROC":
        covariances = ("DeLong", "jackknife")
    return Analysed(
        name=ratings.name,
        analysis=analyse(study, covariances=covariances, rng=np.random.default_rng(seed)),
        caveats=(*_unbalanced(study), *_unmarked(study)),
        extra=page.Extra(
            standalone=(
                against_readers(study, USUAL_FOMS[kind][0], software=software) if software else None
            ),
            software=software,
            times=None if study.seconds is None else reading_time.compare(study),
        ),
    )


def write(made: Analysed, out: Path) -> tuple[Path, Path]:
    """Write ``readers.json`` and ``report.html``."""
    write_json(out / JSON, made.plain())
    write_text(out / PAGE, _page(made))
    return out / JSON, out / PAGE


def _unbalanced(study: ReaderStudy) -> tuple[Caveat, ...]:
    """Say that not everybody read everything, and who read least."""
    counts = study.read.sum(axis=-1)
    cases = len(study.cases)
    if (counts == cases).all():
        return ()
    reader, modality = np.unravel_index(int(np.argmin(counts)), counts.shape)
    text = (
        f"Not every reader read every case in every modality: {counts.sum()} of "
        f"{counts.size * cases} readings are there, fewest by reader {study.readers[reader]} in "
        f"modality {study.modalities[modality]} ({counts[reader, modality]} of {cases} cases). "
        "Figures of merit then rest on different cases; check that this is the design."
    )
    return (Caveat(code="unbalanced", text=text),)


def _unmarked(study: ReaderStudy) -> tuple[Caveat, ...]:
    """Say which listed cases nobody marked, since they count as read."""
    if study.kind != "FROC":
        return ()
    empty = np.isneginf(np.where(study.read, study.highest, -np.inf)).all(axis=(0, 1))
    if not empty.any():
        return ()
    text = (
        f"{int(empty.sum())} of {len(study.cases)} listed cases ({int(study.truth[empty].sum())} "
        "with lesions) have no mark by any reader; they count as read by all, with nothing "
        "marked. Take cases that were not read out of the list."
    )
    return (Caveat(code="cases-without-marks", text=text),)


def _page(made: Analysed) -> str:
    return page.render(made.analysis, name=made.name, caveats=made.caveats, extra=made.extra)
