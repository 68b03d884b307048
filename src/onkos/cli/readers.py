"""The analysis of a reader study, from its table of ratings to the files of the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onkos.cohort.marks import inferred_lesions
from onkos.cohort.ratings import load_lesions, load_ratings
from onkos.core.plain import to_plain
from onkos.core.source import Caveat
from onkos.io.whole import write_json, write_text
from onkos.report import readers as page
from onkos.stats.readers import reading_time
from onkos.stats.readers.analysis import USUAL_FOMS, ReaderAnalysis, analyse
from onkos.stats.readers.assembly import assemble, kind_of
from onkos.stats.readers.covariance import CovarianceMethod
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
    read alone as a program and is held against the others.
    """
    table = load_ratings(ratings)
    listed = load_lesions(lesions) if lesions else None
    caveats: tuple[Caveat, ...] = ()
    kind = kind_of(table, lesions=listed)
    if kind == "FROC" and listed is None:
        listed, caveats = inferred_lesions(table)
    study = assemble(table, kind=kind, lesions=listed)
    covariances: tuple[CovarianceMethod, ...] = ("jackknife",)
    if kind == "ROC":
        covariances = ("DeLong", "jackknife")
    return Analysed(
        name=ratings.name,
        analysis=analyse(study, covariances=covariances, rng=np.random.default_rng(seed)),
        caveats=caveats,
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


def _page(made: Analysed) -> str:
    return page.render(made.analysis, name=made.name, caveats=made.caveats, extra=made.extra)
