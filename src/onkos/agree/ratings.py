"""Agreement of readers on categories."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from onkos.agree.part import Part, Settings, as_method, estimated, few, noted, undefined
from onkos.cohort.scales import UNREAD, Category, Rated, said
from onkos.core.agreement import Found, Review
from onkos.core.estimate import Estimate
from onkos.core.source import Caveat
from onkos.report.figures import Drawing, ForestRow, Sample, forest
from onkos.stats.agreement.chance import (
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    gwet_ac,
    percent_agreement,
)
from onkos.stats.agreement.coefficient import Agreement
from onkos.stats.agreement.kappa import cohen_kappa
from onkos.stats.agreement.krippendorff import krippendorff_alpha
from onkos.stats.agreement.ratings import Ratings
from onkos.stats.agreement.weights import Metric, Weighting
from onkos.stats.consensus.dawid_skene import DawidSkene, dawid_skene
from onkos.stats.consensus.inconsistency import disagreements

_PARADOX = 0.4  # agreement seen above kappa by so much: nearly all ratings are alike
_LEAST_FOR_TRUTH = 3
_CASES_A_CATEGORY = 10
_SURE = 0.5
_FAR = 2  # steps of a scale
_MOST_PAIRS = 15
_NAMES = {
    "percent_agreement": "percent agreement",
    "fleiss_kappa": "Fleiss' kappa",
    "cohen_kappa": "Cohen's kappa",
    "conger_kappa": "Conger's kappa",
    "gwet_ac": "Gwet's AC",
    "brennan_prediger": "Brennan-Prediger",
    "krippendorff_alpha": "Krippendorff's alpha",
}

Codes = NDArray[np.intp]
Coefficient = Callable[..., Agreement]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sheet:
    """First readings: ``codes`` (cases, readers), and what they mean."""

    cases: tuple[str, ...]
    patients: tuple[str, ...] | None
    readers: tuple[str, ...]
    codes: Codes
    categories: tuple[Category, ...]
    weights: Weighting
    ordinal: bool

    def ratings(self) -> Ratings:
        """Ratings of all readers."""
        return _rated(self.codes, self.categories, self.patients)

    def of_two(self, one: int, other: int) -> Ratings:
        """Ratings of two readers on the cases that both read."""
        codes = self.codes[:, [one, other]]
        rows = np.flatnonzero((codes != UNREAD).all(axis=1))
        patients = None if self.patients is None else [self.patients[row] for row in rows.tolist()]
        return _rated(codes[rows], self.categories, patients)

    @property
    def steps(self) -> bool:
        """Whether the categories are more than two steps of a scale."""
        return self.ordinal and len(self.categories) > 2

    @property
    def note(self) -> str:
        """Which credit a near miss gets."""
        return f"{self.weights} weights" if self.ordinal else ""


def part(rated: Rated, settings: Settings) -> Part:
    """Hold the readers' categories against each other."""
    table = rated.table
    ordinal = rated.scale == "ordinal"
    sheet = _Sheet(
        cases=table.cases,
        patients=table.patients if table.clustered else None,
        readers=table.readers,
        codes=first_read(rated.codes),
        categories=rated.categories,
        weights=settings.weights if ordinal else "identity",
        ordinal=ordinal,
    )
    found: list[Found] = []
    truth: DawidSkene | None = None
    review: tuple[Review, ...] = ()
    if len(table.readers) > 1:
        found += _together(sheet)
        found += _pairs(sheet)
        truth = _truth(sheet)
        review = _review(sheet, truth)
    if truth is not None and truth.converged:
        found += _skill(sheet, truth)
    found += _within(rated, sheet)
    main = ("cohen_kappa" if len(table.readers) == 2 else "fleiss_kappa", "percent_agreement")
    if len(table.readers) == 1:
        main = ("intra_reader_kappa", "intra_reader_percent")
    return Part(
        main=main,
        found=tuple(found),
        review=review,
        caveats=tuple(_caveats(sheet, found, truth)),
        drawings=_drawn(sheet, found),
    )


def first_read(codes: Codes) -> Codes:
    """The first reading of each case by each reader."""
    read = codes != UNREAD
    at = read.argmax(axis=2)
    chosen: Codes = np.take_along_axis(codes, at[:, :, None], axis=2)[:, :, 0]
    return chosen


def _rated(codes: Codes, categories: Sequence[Category], patients: Sequence[str] | None) -> Ratings:
    rows = [[None if code == UNREAD else categories[code] for code in row] for row in codes]
    return Ratings.of(rows, categories=categories, patients=patients)


def _together(sheet: _Sheet) -> Iterator[Found]:
    """Coefficients of all readers together."""
    ratings, n = sheet.ratings(), len(sheet.cases)
    seen = estimated("percent agreement", lambda: percent_agreement(ratings).estimate, n=n)
    yield Found(key="percent_agreement", estimate=_share(seen))
    several = len(sheet.readers) > 2
    weighted: dict[str, Coefficient] = {
        "fleiss_kappa": fleiss_kappa,
        "conger_kappa" if several else "cohen_kappa": conger_kappa if several else cohen_kappa,
        "gwet_ac": gwet_ac,
        "brennan_prediger": brennan_prediger,
    }
    for key, of in weighted.items():
        estimate = estimated(key, partial(_value, of, ratings, sheet.weights), n=n)
        yield Found(key=key, estimate=noted(estimate, sheet.note))
    metric: Metric = "ordinal" if sheet.ordinal else "nominal"
    alpha = estimated(
        "krippendorff_alpha", lambda: krippendorff_alpha(ratings, metric=metric).estimate, n=n
    )
    yield Found(key="krippendorff_alpha", estimate=noted(alpha, f"{metric} metric"))


def _value(of: Coefficient, ratings: Ratings, weights: Weighting) -> Estimate:
    """The coefficient; a variance of 0 where readers differ is no certainty."""
    estimate = of(ratings, weights=weights).estimate
    if estimate.low < estimate.high or math.isnan(estimate.value):
        return estimate
    unbounded = replace(estimate, low=-math.inf, high=math.inf)
    return noted(unbounded, "its variance is 0 on these ratings, so there is no interval")


def _share(estimate: Estimate) -> Estimate:
    """A share is not below 0, its interval neither."""
    return replace(estimate, low=max(estimate.low, 0.0)) if estimate.low < 0 else estimate


def _pairs(sheet: _Sheet) -> Iterator[Found]:
    """Each two of three readers or more."""
    if len(sheet.readers) < _LEAST_FOR_TRUTH:
        return
    for one, other in itertools.combinations(range(len(sheet.readers)), 2):
        pair = (sheet.readers[one], sheet.readers[other])
        both = int((sheet.codes[:, [one, other]] != UNREAD).all(axis=1).sum())
        if not both:
            why = "no case was read by both"
            yield Found(
                key="cohen_kappa", readers=pair, estimate=undefined("Cohen's kappa", why, n=0)
            )
            continue
        ratings = sheet.of_two(one, other)
        seen = estimated(
            "percent agreement", partial(_value, percent_agreement, ratings, "identity"), n=both
        )
        kappa = estimated(
            "Cohen's kappa", partial(_value, cohen_kappa, ratings, sheet.weights), n=both
        )
        yield Found(key="percent_agreement", readers=pair, estimate=_share(seen))
        yield Found(key="cohen_kappa", readers=pair, estimate=noted(kappa, sheet.note))


def _truth(sheet: _Sheet) -> DawidSkene | None:
    """Likely true classes; two readers cannot tell which of them is right.

    Steps of a scale have no true class that readers confuse: on real five-step ratings it ends
    with classes that no reader gave.
    """
    used = np.unique(sheet.codes[sheet.codes != UNREAD])
    if len(sheet.readers) < _LEAST_FOR_TRUTH or len(used) < 2 or sheet.steps:
        return None
    return dawid_skene(sheet.ratings())


def _skill(sheet: _Sheet, truth: DawidSkene) -> Iterator[Found]:
    """How often each reader names each class, where it is the likely true one."""
    for category, by_reader in truth.sensitivity.items():
        what = f"share of likely {said(category)} called so, Dawid and Skene"
        for reader, estimate in zip(sheet.readers, by_reader, strict=True):
            made = as_method(estimate, what)
            if math.isnan(estimate.value):
                made = undefined(what, "this reader read no case that is likely of it", n=0)
            yield Found(
                key="dawid_skene_sensitivity",
                readers=(reader,),
                part=said(category),
                estimate=made,
            )


def _within(rated: Rated, sheet: _Sheet) -> Iterator[Found]:
    """Each reader against their own other readings of the same cases."""
    for at, reader in enumerate(sheet.readers):
        codes = rated.codes[:, at, :]
        codes = codes[:, (codes != UNREAD).any(axis=0)]
        twice = (codes != UNREAD).sum(axis=1) >= 2
        if not twice.any():
            continue
        ratings, n = _rated(codes, sheet.categories, sheet.patients), int(twice.sum())
        kappa: Coefficient = cohen_kappa if codes.shape[1] == 2 else fleiss_kappa
        text = f"{n} cases read more than once by this reader"
        seen = estimated(
            "percent agreement", partial(_value, percent_agreement, ratings, "identity"), n=n
        )
        beyond = estimated("kappa", partial(_value, kappa, ratings, sheet.weights), n=n)
        yield Found(
            key="intra_reader_percent", readers=(reader,), estimate=noted(_share(seen), text)
        )
        yield Found(
            key="intra_reader_kappa", readers=(reader,), estimate=noted(beyond, sheet.note, text)
        )


def _review(sheet: _Sheet, truth: DawidSkene | None) -> tuple[Review, ...]:
    """Cases on which readers disagree, the most doubtful first."""
    ratings = sheet.ratings()
    weights = sheet.weights if sheet.ordinal else None
    row_of = {int(row): n for n, row in enumerate(ratings.rows)}
    number = {case: n for n, case in enumerate(sheet.cases)}
    usable = truth is not None and truth.converged
    found = []
    for one in disagreements(ratings, cases=sheet.cases, weights=weights):
        at = number[str(one.case)]
        given = {
            reader: sheet.categories[code]
            for reader, code in zip(sheet.readers, sheet.codes[at], strict=True)
            if code != UNREAD
        }
        counted = Counter(said(category) for category in given.values()).most_common()
        reason = ", ".join(f"{votes} of {len(given)} say {name}" for name, votes in counted)
        suspected: tuple[str, ...] = ()
        if truth is not None and usable:
            row = row_of[at]
            likely, sure = truth.labels[row], float(truth.probability[row].max())
            if sure > _SURE and likely in given.values():
                suspected = tuple(name for name, category in given.items() if category != likely)
                reason += f"; likeliest by Dawid and Skene: {said(likely)} ({sure:.2f})"
        elif sheet.steps and len(given) >= _LEAST_FOR_TRUTH:
            suspected, middle = _far(sheet, at)
            reason += f"; median {middle}"
        found.append(
            Review(
                rank=one.rank,
                case=str(one.case),
                score=one.score,
                measure="mean_disagreement" if sheet.ordinal else "entropy_bit",
                readings={reader: said(category) for reader, category in given.items()},
                suspected=suspected,
                reason=reason,
            )
        )
    return tuple(found)


def _far(sheet: _Sheet, case: int) -> tuple[tuple[str, ...], str]:
    """Readers two steps or more from the median of a case, and the median in words."""
    codes = sheet.codes[case]
    read = np.sort(codes[codes != UNREAD])
    low, high = int(read[(len(read) - 1) // 2]), int(read[len(read) // 2])
    far = (codes != UNREAD) & ((codes <= low - _FAR) | (codes >= high + _FAR))
    names = [said(sheet.categories[code]) for code in dict.fromkeys((low, high))]
    return tuple(sheet.readers[at] for at in np.flatnonzero(far)), " to ".join(names)


def _caveats(sheet: _Sheet, found: Sequence[Found], truth: DawidSkene | None) -> Iterator[Caveat]:
    read = sheet.codes != UNREAD
    used = np.unique(sheet.codes[read])
    yield from few(len(sheet.cases))
    names = [said(category) for category in sheet.categories]
    if len(used) == 1:
        text = (
            f"Every rating is {names[used[0]]}: no coefficient that allows for chance is defined, "
            "and agreement on other categories is not known."
        )
        yield Caveat(code="one-category", text=text)
        return
    yield from _monotonous(sheet, names)
    yield from _paradox(sheet, found)
    yield from _unused(sheet, used)
    if truth is not None and len(sheet.cases) < _CASES_A_CATEGORY * len(used):
        text = (
            f"{len(sheet.cases)} cases of {len(used)} categories are too few to learn each "
            "reader's habits: take the shares by Dawid and Skene for no more than a hint."
        )
        yield Caveat(code="few-per-category", text=text)
    if truth is not None and not truth.converged:
        text = "Dawid and Skene's iteration did not settle; nothing is told of each reader's skill."
        yield Caveat(code="not-converged", text=text)


def _monotonous(sheet: _Sheet, names: Sequence[str]) -> Iterator[Caveat]:
    """Say which readers used one category only."""
    said_by: dict[str, list[str]] = {}
    for at, reader in enumerate(sheet.readers):
        own = np.unique(sheet.codes[:, at][sheet.codes[:, at] != UNREAD])
        if len(own) == 1:
            said_by.setdefault(names[own[0]], []).append(reader)
    for category, readers in said_by.items():
        who = ", ".join(readers[:8]) + (" and others" if len(readers) > 8 else "")
        text = (
            f"{'Reader' if len(readers) == 1 else 'Readers'} {who} used one category only, "
            f"{category}: kappa with them is 0 or near it whatever the others say."
        )
        yield Caveat(code="one-category-reader", text=text)


def _paradox(sheet: _Sheet, found: Sequence[Found]) -> Iterator[Caveat]:
    """Kappa far below the agreement seen, since nearly all ratings are alike."""
    value = {one.key: one.estimate.value for one in found if not one.readers}
    kappa = value.get("cohen_kappa", value.get("fleiss_kappa", math.nan))
    seen, ac = value.get("percent_agreement", math.nan), value.get("gwet_ac", math.nan)
    if not seen - kappa > _PARADOX or seen < 1 - _PARADOX:
        return
    read = sheet.codes[sheet.codes != UNREAD]
    share = np.bincount(read).max() / read.size
    most = said(sheet.categories[int(np.bincount(read).argmax())])
    text = (
        f"Readers agree on {100 * seen:.0f} % and yet kappa is {kappa:.2f}: {100 * share:.0f} % of "
        f"all ratings are {most}, so kappa takes nearly all agreement for chance. Gwet's AC, "
        f"{ac:.2f}, does not."
    )
    yield Caveat(code="kappa-paradox", text=text.replace("-0", "\N{MINUS SIGN}0"))


def _unused(sheet: _Sheet, used: Codes) -> Iterator[Caveat]:
    """A whole number between those used that nobody gave may be a category of the scale."""
    numbers = [c for c in sheet.categories if isinstance(c, float)]
    if len(numbers) != len(sheet.categories) or len(used) < len(numbers):
        return
    low, high = numbers[0], numbers[-1]
    between = high - low + 1
    if all(c.is_integer() for c in numbers) and len(numbers) < between <= 12:
        text = (
            "A whole number between the ratings was never given: if it is a category of the scale, "
            "list all with --order, since Gwet's AC and Brennan and Prediger's coefficient count "
            "them."
        )
        yield Caveat(code="category-not-used", text=text)


def _drawn(sheet: _Sheet, found: Sequence[Found]) -> tuple[Drawing, ...]:
    """Every coefficient of all, and kappa of each two readers."""
    sample = Sample(n=len(sheet.cases), unit="cases")
    rows = [
        ForestRow(name=_NAMES.get(one.key, one.key), estimate=one.estimate, group="all readers")
        for one in found
        if not one.readers and math.isfinite(one.estimate.value)
    ]
    rows += [
        ForestRow(
            name=" and ".join(one.readers), estimate=one.estimate, group="Cohen's kappa of two"
        )
        for one in found
        if one.key == "cohen_kappa" and len(one.readers) == 2
    ][:_MOST_PAIRS]
    return (forest(rows, label="Agreement", sample=sample, reference=0.0),) if rows else ()
