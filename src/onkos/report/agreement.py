"""The page of an agreement: how far readers agree, on what they do not, and whom to ask."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from onkos.core.agreement import Agreement, Found
from onkos.core.estimate import Estimate
from onkos.report import page, words
from onkos.report.figures import Drawing
from onkos.report.page import Fact
from onkos.report.words import Shown

MOST_ROWS, MOST_REVIEWED = 300, 30
_VOLUME = "volume_"
_NAMES = {
    "percent_agreement": "Agreement seen",
    "cohen_kappa": "Cohen's kappa",
    "fleiss_kappa": "Fleiss' kappa",
    "conger_kappa": "Conger's kappa",
    "gwet_ac": "Gwet's AC",
    "brennan_prediger": "Brennan-Prediger",
    "krippendorff_alpha": "Krippendorff's alpha",
    "dawid_skene_sensitivity": "Share called so",
    "intra_reader_percent": "Agreement with oneself",
    "intra_reader_kappa": "Kappa with oneself",
    "icc_1_1": "ICC(1,1)",
    "icc_2_1": "ICC(2,1)",
    "icc_3_1": "ICC(3,1)",
    "icc_1_k": "ICC(1,k)",
    "icc_2_k": "ICC(2,k)",
    "icc_3_k": "ICC(3,k)",
    "bias": "Bias",
    "lower_limit": "Lower limit of agreement",
    "upper_limit": "Upper limit of agreement",
    "proportional_bias": "Slope of difference on mean",
    "lin_concordance": "Lin's concordance",
    "within_sd": "Within-case SD",
    "repeatability_coefficient": "Repeatability coefficient",
    "within_cv": "Within-case CV",
    "relative_repeatability_coefficient": "Relative repeatability coefficient",
    "dice": "Dice",
    "hd95_mm": "HD95",
    "staple_sensitivity": "Sensitivity by STAPLE",
    "staple_specificity": "Specificity by STAPLE",
    "dice_with_others": "Dice with the others",
    "sensitivity_with_others": "Sensitivity to the others",
}
_MEANT = {
    "percent_agreement": "share of pairs of ratings of a case that are the same",
    "cohen_kappa": "0 chance, 1 perfect; each reader with own habits",
    "fleiss_kappa": "0 chance, 1 perfect; chance from how often categories are used",
    "conger_kappa": "0 chance, 1 perfect; Cohen's for several readers",
    "gwet_ac": "AC1, AC2 with weights; steady where one category is rare",
    "brennan_prediger": "by chance every category is as likely",
    "krippendorff_alpha": "0 chance, 1 perfect; takes gaps",
    "icc_1_1": "each case by other readers; absolute agreement",
    "icc_2_1": "readers a sample of all; absolute agreement of one reading",
    "icc_3_1": "these readers alone; consistency of one reading",
    "icc_1_k": "mean of the readers, each case by others",
    "icc_2_k": "mean of the readers; absolute agreement",
    "icc_3_k": "mean of the readers; consistency",
    "bias": "first minus second",
    "lower_limit": "95 % of differences lie above it and below the upper",
    "proportional_bias": "0: the difference does not grow with the size",
    "lin_concordance": "1: all pairs equal",
    "within_sd": "of repeated measurements of one case",
    "repeatability_coefficient": "two measurements of one case differ by less in 95 of 100",
    "dice": "0 apart, 1 the same",
    "hd95_mm": "0 the same",
    "staple_sensitivity": "share of the likely true outline that was drawn",
    "staple_specificity": "share of the rest that was left out, in the box around all outlines",
    "dice_with_others": "with the majority of the other readers",
    "dawid_skene_sensitivity": "of cases that are likely of this category",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An estimate in a table; ``note`` numbers the method below."""

    who: str
    name: str
    meaning: str
    shown: Shown
    unit: str
    n: int
    missed: int
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A table of estimates about one kind of company: all, two, one; ``left`` are not shown."""

    key: str
    title: str
    rows: tuple[Row, ...]
    left: int

    @property
    def with_units(self) -> bool:
        """Whether any of its numbers has a unit."""
        return any(row.unit for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A case to look at again: one cell a reader, those suspected marked."""

    rank: int
    case: str
    cells: tuple[tuple[str, bool], ...]
    reason: str


def render(agreement: Agreement, drawings: Sequence[Drawing] = ()) -> str:
    """Make the report of an agreement: one HTML page that opens from disk without a network."""
    methods: list[str] = []
    blocks = [
        _block(key, title, [one for one in agreement.found if len(one.readers) == size], methods)
        for key, title, size in (
            ("together", "All readers together", 0),
            ("pairs", "Each two readers", 2),
            ("single", "Each reader", 1),
        )
    ]
    phantom = page.is_phantom(agreement.caveats)
    return page.fill(
        "agreement.html.j2",
        style=("page.css", "evaluation.css"),
        title=f"{'Phantom: ' if phantom else ''}Agreement of readers, {agreement.name}",
        phantom=phantom,
        agreement=agreement,
        answer=answer(agreement),
        setting=setting(agreement),
        caveats=agreement.caveats,
        drawings=drawings,
        blocks=[block for block in blocks if block.rows],
        doubts=_doubts(agreement),
        left=max(len(agreement.review) - MOST_REVIEWED, 0),
        consensus=_consensus(agreement),
        methods=methods,
        facts=(Fact(name="Readings", value=agreement.name, code=True), *_said(agreement)),
    )


def answer(agreement: Agreement) -> str:
    """How far the readers agree, in one sentence."""
    if agreement.kind == "ratings":
        return _of_ratings(agreement)
    if agreement.kind == "measurements":
        return _of_measurements(agreement)
    dice, far = agreement.of("dice"), agreement.of("hd95_mm")
    shown = "" if far is None else f", their HD95 has a mean of {_shown(far, 'mm')}"
    return (
        f"Outlines of {words.counted(agreement.cases, 'case')} by {len(agreement.readers)} readers "
        f"overlap with a mean Dice of {_shown(dice)}{shown}."
    )


def setting(agreement: Agreement) -> str:
    """Who read what, in one sentence."""
    kind = {"ratings": f"{agreement.scale} categories", "outlines": "outlines"}.get(
        agreement.kind, f"measurements in {agreement.unit}" if agreement.unit != "1" else "numbers"
    )
    listed = f" ({', '.join(agreement.categories[:8])})" if agreement.categories else ""
    patients = ""
    if agreement.patients != agreement.cases:
        patients = f" of {words.counted(agreement.patients, 'patient')}"
    missing = f", {agreement.missing} missing" if agreement.missing else ", none missing"
    return (
        f"{words.counted(len(agreement.readers), 'reader')}, "
        f"{words.counted(agreement.cases, 'case')}{patients}, "
        f"{words.counted(agreement.readings, 'reading')}{missing}; {kind}{listed}; "
        f"{words.counted(agreement.complete, 'case')} read by every reader."
    )


def named(one: Found) -> str:
    """A number's name, e.g. ``Volume: bias``, ``Dice, core``."""
    bare = one.key.removeprefix(_VOLUME)
    name = _NAMES.get(bare, bare.replace("_", " "))
    if bare != one.key:
        kept = name.startswith(("ICC", "Krippendorff", "Lin"))
        name = f"Volume: {name if kept else name[:1].lower() + name[1:]}"
    return f"{name}, {one.part}" if one.part else name


def _of_ratings(agreement: Agreement) -> str:
    main, *_ = agreement.main
    alone = agreement.readers if len(agreement.readers) == 1 else ()
    seen, beyond = (agreement.of(key, *alone) for key in (agreement.main[1], main))
    if alone:
        subject = f"Reader {alone[0]} agrees with their own first reading in"
    else:
        subject = f"{len(agreement.readers)} readers agree in"
    share = "a share that cannot be estimated"
    if seen is not None and math.isfinite(seen.value):
        share = f"{100 * seen.value:.0f} % ({100 * seen.low:.0f}–{100 * seen.high:.0f} %)"
    name = _NAMES[main][0].lower() + _NAMES[main][1:] if alone else _NAMES[main]
    weighted = "weighted " if agreement.scale == "ordinal" and not alone else ""
    return f"{subject} {share} of pairs of ratings; {weighted}{name} {_shown(beyond)}."


def _of_measurements(agreement: Agreement) -> str:
    unit = "" if agreement.unit == "1" else agreement.unit
    if len(agreement.readers) == 1:
        limit = agreement.of("repeatability_coefficient", *agreement.readers)
        return (
            f"Two measurements of one case by {agreement.readers[0]} differ by less than "
            f"{_shown(limit, unit)} in 95 of 100 cases."
        )
    correlation = f"ICC(2,1) {_shown(agreement.of('icc_2_1'))}"
    spans = {
        one.readers: (one.estimate, upper)
        for one in agreement.found
        if one.key == "lower_limit"
        and (upper := agreement.of("upper_limit", *one.readers)) is not None
        and math.isfinite(one.estimate.value)
    }
    if not spans:
        return f"{correlation}; too few cases for limits of agreement."
    pair = max(spans, key=lambda names: max(abs(one.value) for one in spans[names]))
    low, high = spans[pair]
    which = "" if len(agreement.readers) == 2 else "; of the two farthest apart"
    begin = correlation + (which or ";")
    return (
        f"{begin} {pair[0]} minus {pair[1]} lies between {_shown(low)} and {_shown(high)}"
        f"{f' {unit}' if unit else ''} in 95 of 100 cases."
    )


def _shown(estimate: Estimate | None, unit: str = "") -> str:
    if estimate is None:
        return "not estimated"
    shown = words.estimated(estimate)
    return f"{shown.value}{f' {unit}' if unit else ''} ({shown.interval})"


def _block(key: str, title: str, found: Sequence[Found], methods: list[str]) -> Block:
    kept = [one for one in found if key != "together" or math.isfinite(one.estimate.value)]
    kept += [one for one in found if one not in kept]
    return Block(
        key=key,
        title=title,
        rows=tuple(_row(one, methods) for one in kept[:MOST_ROWS]),
        left=max(len(kept) - MOST_ROWS, 0),
    )


def _row(one: Found, methods: list[str]) -> Row:
    method = str(one.estimate.method)
    if method not in methods:
        methods.append(method)
    return Row(
        who=" and ".join(one.readers),
        name=named(one),
        meaning=_MEANT.get(one.key.removeprefix(_VOLUME), ""),
        shown=words.estimated(one.estimate),
        unit=words.unit(one.unit),
        n=one.estimate.n,
        missed=one.estimate.missed,
        note=methods.index(method) + 1,
    )


def _doubts(agreement: Agreement) -> list[Doubt]:
    return [
        Doubt(
            rank=one.rank,
            case=one.case,
            cells=tuple(
                (one.readings.get(reader, "not read"), reader in one.suspected)
                for reader in agreement.readers[:12]
            ),
            reason=one.reason,
        )
        for one in agreement.review[:MOST_REVIEWED]
    ]


def _consensus(agreement: Agreement) -> list[tuple[str, int, str]]:
    """How it was made, of how many cases, and what is special about it."""
    told = {
        "majority": "what more than half of the readers outlined",
        "staple": "the likely true outline, readers weighed by their estimated skill",
        "simple": "a vote without the readers who agree least with it",
    }
    counts: dict[str, int] = {}
    for mask in agreement.consensus:
        counts[mask.method] = counts.get(mask.method, 0) + 1
    return [(method, n, told[method]) for method, n in counts.items()]


def _said(agreement: Agreement) -> Iterable[Fact]:
    return page.said(agreement.provenance, {})
