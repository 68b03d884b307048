"""Agreement of readers on measurements."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from onkos.agree.part import LEVEL, Part, estimated, few, noted, undefined
from onkos.cohort.scales import Measured
from onkos.core.agreement import AgreementCase, Found, Review
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.source import Caveat
from onkos.report import figures
from onkos.report.figures import Drawing, Sample
from onkos.stats.agreement.bland_altman import (
    LimitsOfAgreement,
    bland_altman,
    bland_altman_repeated,
)
from onkos.stats.agreement.concordance import lin_concordance
from onkos.stats.agreement.icc import IntraclassCorrelations, icc
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.repeatability import Repeatability, repeatability

ALPHA = 0.05
_MOST_DRAWN = 6
_SHARE_LISTED = 0.05  # of the cases, where none lies outside the limits
_FORMS = {
    "icc_1_1": "one_way",
    "icc_2_1": "two_way_random",
    "icc_3_1": "two_way_mixed",
    "icc_1_k": "one_way_mean",
    "icc_2_k": "two_way_random_mean",
    "icc_3_k": "two_way_mixed_mean",
}
_MEANT = {
    "icc_1_1": "one-way, one reader, absolute agreement",
    "icc_2_1": "two-way random, one reader, absolute agreement",
    "icc_3_1": "two-way mixed, one reader, consistency",
    "icc_1_k": "one-way, mean of the readers, absolute agreement",
    "icc_2_k": "two-way random, mean of the readers, absolute agreement",
    "icc_3_k": "two-way mixed, mean of the readers, consistency",
}
_LIMITS = ("bias", "lower_limit", "upper_limit", "proportional_bias")
_LEAST_PAIRS = 3


class Pair(NamedTuple):
    """Two readers, and the cases that both read."""

    names: tuple[str, str]
    columns: tuple[int, int]
    limits: LimitsOfAgreement | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """One measurement of each case by each reader: ``values`` (cases, readers), NaN for none."""

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    clustered: bool
    readers: tuple[str, ...]
    values: FloatArray
    unit: str

    def both(self, columns: tuple[int, int]) -> tuple[FloatArray, FloatArray, list[str]]:
        """Measurements of two readers where both measured, and their patients."""
        pair = self.values[:, list(columns)]
        whole = np.isfinite(pair).all(axis=1)
        patients = [self.patients[row] for row in np.flatnonzero(whole).tolist()]
        return pair[whole, 0], pair[whole, 1], patients


def part(measured: Measured, *, seed: int) -> Part:
    """Hold the readers' measurements against each other."""
    table = measured.table
    sheet = Sheet(
        cases=table.cases,
        patients=table.patients,
        clustered=table.clustered,
        readers=table.readers,
        values=first_measured(measured.values),
        unit=measured.unit,
    )
    found: list[Found] = []
    pairs: list[Pair] = []
    if len(table.readers) > 1:
        found += together(sheet, seed=seed)
        pairs = list(paired(sheet))
        found += of_pairs(sheet, pairs, seed=seed)
    found += _within(measured)
    main = ("icc_2_1", "lower_limit", "upper_limit")
    if len(table.readers) == 1:
        main = ("repeatability_coefficient", "within_cv", "within_sd")
    return Part(
        main=main,
        found=tuple(found),
        review=_review(sheet, pairs),
        each=tuple(_each(sheet)),
        caveats=(
            *few(len(table.cases)),
            *_lost(sheet),
            *copied(sheet),
            *proportional(pairs),
        ),
        drawings=drawn(sheet, pairs),
    )


def first_measured(values: FloatArray) -> FloatArray:
    """The first measurement of each case by each reader."""
    at = np.isfinite(values).argmax(axis=2)
    chosen: FloatArray = np.take_along_axis(values, at[:, :, None], axis=2)[:, :, 0]
    return chosen


def together(sheet: Sheet, *, seed: int, prefix: str = "") -> Iterator[Found]:
    """Intraclass correlations of the cases that all readers measured, and alpha of all cases."""
    whole = np.isfinite(sheet.values).all(axis=1)
    left = len(sheet.cases) - int(whole.sum())
    note = f"{left} of {len(sheet.cases)} cases that not every reader measured left out"
    correlations: IntraclassCorrelations | None = None
    why = ""
    try:
        correlations = icc(
            sheet.values[whole],
            patients=[sheet.patients[row] for row in np.flatnonzero(whole).tolist()]
            if sheet.clustered
            else None,
            rng=np.random.default_rng(seed) if sheet.clustered else None,
        )
    except ContentError as error:
        why = str(error)
    for key, form in _FORMS.items():
        if correlations is None:
            estimate = undefined(_MEANT[key], why, n=int(whole.sum()))
        else:
            estimate = noted(getattr(correlations, form), _MEANT[key])
        yield Found(key=f"{prefix}{key}", estimate=noted(estimate, note if left else ""))
    rows = [[None if math.isnan(v) else v for v in row] for row in sheet.values.tolist()]
    patients = sheet.patients if sheet.clustered else None

    def alpha() -> Estimate:
        ratings = Ratings.of(rows, patients=patients)
        return krippendorff_alpha(ratings, metric="interval").estimate

    estimate = estimated("Krippendorff's alpha", alpha, n=len(sheet.cases))
    yield Found(key=f"{prefix}krippendorff_alpha", estimate=noted(estimate, "interval metric"))


def paired(sheet: Sheet) -> Iterator[Pair]:
    """Limits of agreement of each two readers; None where too few cases were read by both."""
    for columns in itertools.combinations(range(len(sheet.readers)), 2):
        names = (sheet.readers[columns[0]], sheet.readers[columns[1]])
        first, second, patients = sheet.both(columns)
        limits: LimitsOfAgreement | None = None
        if len(set(patients)) >= _LEAST_PAIRS:
            several = len(set(patients)) < len(patients)
            limits = (
                bland_altman_repeated(first, second, subjects=patients)
                if several
                else bland_altman(first, second)
            )
        yield Pair(names, columns, limits)


def of_pairs(
    sheet: Sheet, pairs: Sequence[Pair], *, seed: int, prefix: str = ""
) -> Iterator[Found]:
    """Bias, limits of agreement and concordance of each two readers."""
    for pair in pairs:
        first, second, patients = sheet.both(pair.columns)
        if pair.limits is None:
            why = f"{len(set(patients))} patients measured by both; expected three at least"
            made: Mapping[str, Estimate] = {
                key: undefined(key.replace("_", " "), why, n=len(set(patients)))
                for key in (*_LIMITS, "lin_concordance")
            }
        else:
            one = pair.limits
            values = (one.bias, one.lower, one.upper, one.proportional)
            made = dict(zip(_LIMITS, values, strict=True))
            rng = np.random.default_rng(seed) if sheet.clustered else None
            lin = lin_concordance(first, second, patients=patients, rng=rng).estimate
            made = {**made, "lin_concordance": lin}
        for key, estimate in made.items():
            unit = "1" if key in ("proportional_bias", "lin_concordance") else sheet.unit
            yield Found(key=f"{prefix}{key}", readers=pair.names, unit=unit, estimate=estimate)


def _within(measured: Measured) -> Iterator[Found]:
    """Spread of each reader's own repeated measurements."""
    unit = measured.unit
    for at, reader in enumerate(measured.table.readers):
        values = measured.values[:, at, :]
        if not (np.isfinite(values).sum(axis=1) >= 2).any():
            continue
        made: Repeatability = repeatability(values, level=LEVEL)
        note = "cases taken for independent"
        for key, estimate, of in (
            ("within_sd", made.within_sd, unit),
            ("repeatability_coefficient", made.coefficient, unit),
            ("within_cv", made.within_cv, "1"),
            ("relative_repeatability_coefficient", made.percent_coefficient, "1"),
        ):
            yield Found(key=key, readers=(reader,), unit=of, estimate=noted(estimate, note))


def proportional(pairs: Sequence[Pair], *, of: str = "") -> Iterator[Caveat]:
    """Say where the difference of two readers grows with the size."""
    grown = [
        pair
        for pair in pairs
        if pair.limits is not None and pair.limits.proportional_p < ALPHA / max(len(pairs), 1)
    ]
    if grown:
        names = "; ".join(" and ".join(pair.names) for pair in grown[:3])
        text = (
            f"The difference between readers{of} grows with the size ({names}): one pair of limits "
            "does not fit small and large alike."
        )
        yield Caveat(code="proportional-bias", text=text)


def copied(sheet: Sheet, *, what: str = "measured the same") -> Iterator[Caveat]:
    """Say where two readers do not differ at all: a copy, perhaps, and no width to an interval."""
    for columns in itertools.combinations(range(len(sheet.readers)), 2):
        first, second, _ = sheet.both(columns)
        if len(first) >= _LEAST_PAIRS and np.array_equal(first, second):
            names = " and ".join(sheet.readers[at] for at in columns)
            text = (
                f"Readers {names} {what} in every case: if one was not copied from the other, "
                "intervals without width still say nothing of further cases."
            )
            yield Caveat(code="identical-readers", text=text)


def _lost(sheet: Sheet) -> Iterator[Caveat]:
    """Say what intraclass correlation cannot use."""
    if len(sheet.readers) < 2:
        return
    left = int((~np.isfinite(sheet.values).all(axis=1)).sum())
    if left:
        text = (
            f"{left} of {len(sheet.cases)} cases were not measured by every reader: intraclass "
            "correlations leave them out, Krippendorff's alpha and pairs of readers use what is "
            "there."
        )
        yield Caveat(code="cases-left-out", text=text)


def _review(sheet: Sheet, pairs: Sequence[Pair]) -> tuple[Review, ...]:
    """Cases outside the limits of agreement, or the widest apart where none is."""
    found = []
    for at, case in enumerate(sheet.cases):
        given = {
            reader: value
            for reader, value in zip(sheet.readers, sheet.values[at].tolist(), strict=True)
            if math.isfinite(value)
        }
        if len(given) < 2:
            continue
        outside = tuple(_outside(sheet, pairs, at))
        found.append(
            (max(given.values()) - min(given.values()), bool(outside), case, given, outside)
        )
    found.sort(key=lambda one: (not one[1], -one[0]))
    least = math.ceil(_SHARE_LISTED * len(found))
    listed = [one for n, one in enumerate(found) if one[0] > 0 and (one[1] or n < least)]
    return tuple(
        Review(
            rank=rank,
            case=case,
            score=spread,
            measure="spread",
            readings={reader: f"{value:.6g}" for reader, value in given.items()},
            reason="; ".join(outside) or f"readers {spread:.3g} {_shown(sheet.unit)} apart",
        )
        for rank, (spread, _, case, given, outside) in enumerate(listed, start=1)
    )


def _outside(sheet: Sheet, pairs: Sequence[Pair], at: int) -> Iterator[str]:
    for pair in pairs:
        if pair.limits is None:
            continue
        difference = float(np.subtract(*sheet.values[at, list(pair.columns)]))
        low, high = pair.limits.lower.value, pair.limits.upper.value
        if difference < low or difference > high:
            yield (
                f"{pair.names[0]} minus {pair.names[1]} {difference:.3g} "
                f"{_shown(sheet.unit)}, outside the limits of agreement {low:.3g} to {high:.3g}"
            )


def _shown(unit: str) -> str:
    return "" if unit == "1" else unit


def _each(sheet: Sheet) -> Iterator[AgreementCase]:
    for at, case in enumerate(sheet.cases):
        given = {
            reader: value
            for reader, value in zip(sheet.readers, sheet.values[at].tolist(), strict=True)
            if math.isfinite(value)
        }
        yield AgreementCase(
            case=case,
            patient=sheet.patients[at],
            readers=tuple(given),
            values={f"value:{reader}": value for reader, value in given.items()},
        )


def drawn(sheet: Sheet, pairs: Sequence[Pair]) -> tuple[Drawing, ...]:
    """Bland and Altman's plot of each two readers."""
    plots: list[Drawing] = []
    for pair in pairs:
        if pair.limits is None or len(plots) == _MOST_DRAWN:
            continue
        first, second, patients = sheet.both(pair.columns)
        plot = figures.bland_altman(
            first,
            second,
            limits=pair.limits,
            sample=Sample(n=len(set(patients)), unit="patients" if sheet.clustered else "cases"),
            unit=_shown(sheet.unit),
            names=pair.names,
        )
        plots.append(replace(plot, title=f"{plot.title}, {' and '.join(pair.names)}"))
    return tuple(plots)
