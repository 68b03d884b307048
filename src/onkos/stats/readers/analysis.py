"""A whole reader study: everything that its design allows, and why the rest is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np
from scipy import stats

from onkos.core.errors import ContentError, UsageError
from onkos.core.estimate import Estimate
from onkos.core.method import Method
from onkos.core.plain import to_plain
from onkos.stats.readers import dbm, ustatistics
from onkos.stats.readers import obuchowski_rockette as orm
from onkos.stats.readers.covariance import CovarianceMethod, ErrorCovariance, estimate
from onkos.stats.readers.curves import OperatingCurve, froc, mean_over_specificity, roc
from onkos.stats.readers.foms import HR_AUC, WILCOXON, FigureOfMerit, values
from onkos.stats.readers.localisation import WAFROC, alroc
from onkos.stats.readers.ratings import Kind, ReaderStudy
from onkos.stats.readers.result import (
    WORDS,
    AnalysisName,
    Factors,
    ModalityMean,
    NotAnalysed,
    ReaderTest,
)
from onkos.stats.readers.splitplot import Design, design_of

FACTORS: tuple[Factors, ...] = get_args(Factors)
USUAL_FOMS: dict[Kind, tuple[FigureOfMerit, ...]] = {
    "ROC": (WILCOXON,),
    "FROC": (WAFROC, HR_AUC),
    "LROC": (WILCOXON, alroc(1.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderFom:
    """What one reader achieved in one modality."""

    fom: str
    reader: str
    modality: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanFom:
    """Mean of the readers in one modality, by one analysis."""

    analysis: AnalysisName
    fom: str
    covariance: str
    factors: Factors
    modality: str
    estimate: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCurve:
    """A curve of one reader, or the mean of all (``reader`` empty), in one modality."""

    reader: str
    modality: str
    kind: str
    curve: OperatingCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAnalysis:
    """All results of a reader study.

    ``refused`` says what the design or the data do not allow, and why.
    """

    kind: Kind
    design: Design
    readers: tuple[str, ...]
    modalities: tuple[str, ...]
    normal: int
    abnormal: int
    foms: tuple[ReaderFom, ...]
    means: tuple[MeanFom, ...]
    tests: tuple[ReaderTest, ...]
    curves: tuple[ReaderCurve, ...]
    refused: tuple[NotAnalysed, ...]

    def plain(self) -> dict[str, Any]:
        """Plain data of ``readers.json``: ``foms``, ``tests``, and what else is known."""
        return {
            "kind": self.kind,
            "design": self.design.name,
            "readers": list(self.readers),
            "modalities": list(self.modalities),
            "cases": {"normal": self.normal, "abnormal": self.abnormal},
            "foms": [
                {"fom": f.fom, "reader": f.reader, "modality": f.modality, **_plain(f.estimate)}
                for f in self.foms
            ],
            "means": [
                {
                    "method": m.analysis,
                    "fom": m.fom,
                    "covariance": m.covariance,
                    "factors": m.factors,
                    "modality": m.modality,
                    "value": _number(m.estimate.value),
                    "low": _number(m.estimate.low),
                    "high": _number(m.estimate.high),
                    "n": m.estimate.n,
                }
                for m in self.means
            ],
            "tests": [test.row() for test in self.tests],
            "refused": [{"what": r.what, "why": r.why} for r in self.refused],
        }


def analyse(
    study: ReaderStudy,
    *,
    foms: Sequence[FigureOfMerit] = (),
    covariances: Sequence[CovarianceMethod] = ("jackknife",),
    rng: np.random.Generator,
    level: float = 0.95,
) -> ReaderAnalysis:
    """Analyse a reader study by every method that its design allows.

    A study in which every reader read every case in every modality is analysed by Obuchowski
    and Rockette's method with each covariance, by Dorfman, Berbaum and Metz's (DBM), and by
    U-statistics. DBM is not done where readers have cases of their own; where readings are
    missing here and there only U-statistics are done. Readers, cases or both are taken as
    random, as far as the method allows. Modalities are compared two by two; p-values are not
    corrected for that.

    Parameters
    ----------
    study
        The ratings.
    foms
        Figures of merit; the usual ones for this kind of study if empty.
    covariances
        How the covariance over cases is estimated.
    rng
        Used by the bootstrap only.
    level
        Confidence level of every interval.
    """
    design = design_of(study)
    work = _Work(study=study, level=level, rng=rng, found=_Found())
    for fom in foms or USUAL_FOMS[study.kind]:
        work.one(fom, covariances, design)
    found = work.found
    return ReaderAnalysis(
        kind=study.kind,
        design=design,
        readers=study.readers,
        modalities=study.modalities,
        normal=len(study.normal),
        abnormal=len(study.abnormal),
        foms=tuple(found.foms),
        means=tuple(found.means),
        tests=tuple(found.tests),
        curves=tuple(_curves(study)),
        refused=tuple(found.refused),
    )


class _Found:
    """Results as they come in."""

    def __init__(self) -> None:
        self.foms: list[ReaderFom] = []
        self.means: list[MeanFom] = []
        self.tests: list[ReaderTest] = []
        self.refused: list[NotAnalysed] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One study being analysed; each step that is refused is noted and the next one goes on."""

    study: ReaderStudy
    level: float
    rng: np.random.Generator
    found: _Found

    def one(
        self, fom: FigureOfMerit, covariances: Sequence[CovarianceMethod], design: Design
    ) -> None:
        """All analyses of one figure of merit."""
        known: list[ErrorCovariance] = []
        if design.obuchowski_rockette:
            self.refuse(f"OR, {fom.name}", design.obuchowski_rockette)
        else:
            for method in covariances:
                what = f"OR, {fom.name}, {method}"
                self.attempt(what, partial(self.covariance, known, fom, method))
        self.attempt(f"{fom.name} of each reader", partial(self.readers, fom, known))
        for covariance in known:
            for factors in FACTORS:
                what = f"OR, {fom.name}, {covariance.method}, {factors}"
                self.attempt(what, partial(self.by_or, covariance, factors))
        if design.dbm:
            self.refuse(f"DBM, {fom.name}", design.dbm)
        else:
            for factors in FACTORS:
                what = f"DBM, {fom.name}, {factors}"
                self.attempt(what, partial(self.by_dbm, fom, factors))
        self.attempt(f"U, {fom.name}", partial(self.by_u, fom))

    def attempt(self, what: str, step: Callable[[], None]) -> None:
        """Take a step, or note why it was refused."""
        try:
            step()
        except (ContentError, UsageError) as error:
            self.refuse(what, str(error))

    def refuse(self, what: str, why: str) -> None:
        self.found.refused.append(NotAnalysed(what=what, why=why))

    def covariance(
        self, known: list[ErrorCovariance], fom: FigureOfMerit, method: CovarianceMethod
    ) -> None:
        """Estimate one covariance and keep it."""
        known.append(estimate(self.study, fom, method=method, rng=self.rng))

    def readers(self, fom: FigureOfMerit, known: Sequence[ErrorCovariance]) -> None:
        """Each reader in each modality, with an interval over cases."""
        table = values(self.study, fom)
        if known:
            variance = np.einsum("rmrm->rm", known[0].matrix)
            how = f"{known[0].method} variance over cases, normal interval"
        else:
            _, variance = ustatistics.each_reader(self.study, fom)
            how = "variance over cases by U-statistics, normal interval"
        for reader, modality in np.argwhere(self.study.took_part):
            self.found.foms.append(
                ReaderFom(
                    fom=fom.name,
                    reader=self.study.readers[reader],
                    modality=self.study.modalities[modality],
                    estimate=_interval(
                        float(table[reader, modality]),
                        float(variance[reader, modality]),
                        n=int(self.study.read[reader, modality].sum()),
                        level=self.level,
                        method=Method(what=fom.name, by=how),
                    ),
                )
            )

    def by_or(self, covariance: ErrorCovariance, factors: Factors) -> None:
        found = orm.analyse(self.study, covariance, factors=factors, level=self.level)
        self.found.tests.extend(found.tests)
        self.means("OR", covariance.fom, covariance.method, factors, found.means)

    def by_dbm(self, fom: FigureOfMerit, factors: Factors) -> None:
        found = dbm.analyse(self.study, fom, factors=factors, level=self.level)
        self.found.tests.extend(found.tests)
        self.means("DBM", fom.name, "jackknife", factors, found.means)

    def by_u(self, fom: FigureOfMerit) -> None:
        found = ustatistics.analyse(self.study, fom, level=self.level)
        self.found.tests.extend(found.pairs)
        self.means("U", fom.name, "U", "RRRC", found.means)

    def means(
        self,
        analysis: AnalysisName,
        fom: str,
        covariance: str,
        factors: Factors,
        means: Sequence[ModalityMean],
    ) -> None:
        method = Method(
            what=f"{fom}, mean of the readers",
            by=f"{analysis}, {covariance} covariance, {WORDS[factors]}",
        )
        self.found.means.extend(
            MeanFom(
                analysis=analysis,
                fom=fom,
                covariance=covariance,
                factors=factors,
                modality=mean.modality,
                estimate=mean.estimate(n=len(self.study.cases), level=self.level, method=method),
            )
            for mean in means
        )


def _curves(study: ReaderStudy) -> list[ReaderCurve]:
    """ROC curves of every reader (FROC curves too where there are marks) and their means."""
    found: list[ReaderCurve] = []
    for m, modality in enumerate(study.modalities):
        readers = [int(r) for r in np.flatnonzero(study.took_part[:, m])]
        drawn = [roc(study, r, m) for r in readers]
        found.extend(
            ReaderCurve(reader=study.readers[r], modality=modality, kind="ROC", curve=curve)
            for r, curve in zip(readers, drawn, strict=True)
        )
        mean = mean_over_specificity(drawn, name=f"mean, {modality}")
        found.append(ReaderCurve(reader="", modality=modality, kind="ROC", curve=mean))
        if study.kind == "FROC":
            found.extend(
                ReaderCurve(
                    reader=study.readers[r],
                    modality=modality,
                    kind="FROC",
                    curve=froc(study, r, m),
                )
                for r in readers
            )
    return found


def _interval(value: float, variance: float, *, n: int, level: float, method: Method) -> Estimate:
    """Normal interval; without bounds, and saying so, where the variance is unknown."""
    half = math.inf
    if variance >= 0:
        half = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(variance)
    else:
        unknown = ("the variance cannot be estimated from these cases",)
        method = Method(what=method.what, by="no interval", notes=unknown)
    return Estimate(
        value=value, low=value - half, high=value + half, n=n, level=level, method=method
    )


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": _number(estimate.value),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
        "n": estimate.n,
        "missed": estimate.missed,
        "method": to_plain(estimate.method),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
