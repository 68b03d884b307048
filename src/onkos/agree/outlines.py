"""Agreement of readers on outlines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from onkos.agree import doubtful, measurements
from onkos.agree.consensus import Keep
from onkos.agree.part import LEVEL, Part, Settings, as_method, noted, undefined
from onkos.agree.tally import PairOf, Tally, look
from onkos.cohort.outlines import Outlined
from onkos.core.agreement import AgreementCase, Found
from onkos.core.errors import ContentError
from onkos.core.estimate import Estimate
from onkos.core.geometry import FloatArray
from onkos.core.source import Caveat
from onkos.report.figures import Drawing, ForestRow, Sample, Spread, distribution, forest
from onkos.stats.bootstrap import bootstrap_mean
from onkos.stats.consensus.readers import ReaderScore, judge_readers

Done = Callable[[int, int], None]

_MOST_PAIRS = 15
_LEAST_FOR_OTHERS = 3
_MISSED = "an outline against none counts as Dice 0 and as the diagonal of the grid"

_Values = list[tuple[str, float, bool]]  # case, its value, whether one of two outlined nothing


def part(outlined: Outlined, settings: Settings, *, seed: int, keep: Keep, done: Done) -> Part:
    """Hold the readers' outlines against each other, case by case, and make a consensus of each.

    Raises
    ------
    GeometryError
        If the grids of a case differ, with how far in millimetres.
    ContentError
        If an outline cannot be read, or nobody outlined anything in any case.
    """
    tally = Tally()
    for number, (case, of) in enumerate(outlined.cases.items(), start=1):
        look(tally, case, of, settings=settings, keep=keep)
        done(number, len(outlined.cases))
    if not any(tally.boxed):
        raise ContentError(
            f"{outlined.name}: no reader outlined anything; there is nothing to compare"
        )
    found = list(_overlaps(tally, outlined.readers, seed=seed))
    skill = list(_skill(tally, outlined.readers, seed=seed))
    volumes, doubts, drawings = _volumes(tally, outlined.readers, seed=seed)
    return Part(
        main=("dice", "hd95_mm"),
        found=(*found, *skill, *volumes),
        review=doubtful.review(tally),
        each=tuple(_each(tally)),
        caveats=(*doubtful.caveats(tally, len(outlined.readers)), *doubts),
        drawings=(*_drawn(tally, outlined.readers, found), *drawings),
        consensus=tuple(mask for one in tally.combined for mask in one.masks),
    )


def _overlaps(tally: Tally, readers: Sequence[str], *, seed: int) -> Iterator[Found]:
    """Dice and HD95: of all pairs together, and of each two readers, as means over cases."""
    tissues = list(dict.fromkeys(tissue for one in tally.dice for _, tissue in one))
    pairs: list[PairOf] = list(itertools.combinations(readers, 2))
    for tissue in tissues:
        by = [{pair: v for (pair, t), v in one.items() if t == tissue} for one in tally.dice]
        what = "mean Dice of all pairs"
        yield Found(key="dice", part=tissue, estimate=_mean(what, _all(tally, by), seed))
        for pair in pairs:
            estimate = _mean("Dice", of_pair(tally, by, pair), seed)
            yield Found(key="dice", readers=pair, part=tissue, estimate=estimate)
    if not any(tally.hd95):
        return
    estimate = _mean("mean HD95 of all pairs", _all(tally, tally.hd95), seed)
    yield Found(key="hd95_mm", unit="mm", estimate=estimate)
    for pair in pairs:
        estimate = _mean("HD95", of_pair(tally, tally.hd95, pair), seed)
        yield Found(key="hd95_mm", readers=pair, unit="mm", estimate=estimate)


def _all(tally: Tally, by: Sequence[dict[PairOf, float]]) -> _Values:
    """Mean over the pairs of each case."""
    return [
        (case, float(np.mean(list(one.values()))), lost)
        for case, one, lost in zip(tally.cases, by, tally.lost, strict=True)
        if one
    ]


def of_pair(tally: Tally, by: Sequence[dict[PairOf, float]], pair: PairOf) -> _Values:
    """Values of two readers; lost where one of them outlined nothing."""
    return [
        (case, one[pair], len(gone & set(pair)) == 1)
        for case, one, gone in zip(tally.cases, by, tally.empty, strict=True)
        if pair in one
    ]


def _mean(what: str, values: _Values, seed: int) -> Estimate:
    """Mean over cases; of one case there is no interval."""
    if not values:
        return undefined(what, "no case was outlined by both", n=0)
    missed = sum(lost for _, _, lost in values)
    found = bootstrap_mean(
        [value for _, value, _ in values],
        groups=[case for case, _, _ in values],
        rng=np.random.default_rng(seed),
        level=LEVEL,
        missed=missed,
    )
    return noted(as_method(found, what), _MISSED if missed else "")


def _skill(tally: Tally, readers: Sequence[str], *, seed: int) -> Iterator[Found]:
    """Each reader by STAPLE, and against the majority of the others."""
    for reader in readers:
        for name in ("sensitivity", "specificity"):
            held = [
                (case, values[reader])
                for case, one in zip(tally.cases, tally.combined, strict=True)
                if (values := getattr(one, name)) is not None and reader in values
            ]
            estimate = _by_staple(f"STAPLE {name}", held, seed)
            yield Found(key=f"staple_{name}", readers=(reader,), estimate=estimate)
    scores = _by_others(tally, readers, seed=seed)
    for reader, score in zip(readers if scores else (), scores, strict=True):
        for name, one in (("dice", score.dice), ("sensitivity", score.sensitivity)):
            if one is not None:
                shown = "Dice" if name == "dice" else name
                estimate = as_method(one, f"{shown} with the majority of the others")
                yield Found(key=f"{name}_with_others", readers=(reader,), estimate=estimate)


def _by_staple(what: str, held: Sequence[tuple[str, Estimate]], seed: int) -> Estimate:
    """Of one case as it is; of several the mean over cases."""
    if not held:
        return undefined(what, "no case with a consensus by STAPLE", n=0)
    if len(held) == 1:
        return held[0][1]
    mean = bootstrap_mean(
        [one.value for _, one in held],
        groups=[case for case, _ in held],
        rng=np.random.default_rng(seed),
        level=LEVEL,
    )
    return as_method(mean, f"{what}, of each case by itself")


def _by_others(tally: Tally, readers: Sequence[str], *, seed: int) -> tuple[ReaderScore, ...]:
    whole = [n for n, read in enumerate(tally.read) if len(read) == len(readers) and tally.boxed[n]]
    if len(readers) < _LEAST_FOR_OTHERS or not whole:
        return ()
    return judge_readers(
        [tally.boxed[n] for n in whole],
        patients=[tally.cases[n] for n in whole],
        rng=np.random.default_rng(seed),
    )


def _volumes(
    tally: Tally, readers: Sequence[str], *, seed: int
) -> tuple[list[Found], list[Caveat], tuple[Drawing, ...]]:
    """Agreement on the volume of the whole outline, where there are volumes."""
    if not all(tally.volumes) or len(tally.cases) < 2:
        return [], [], ()
    values: FloatArray = np.array(
        [[one.get(reader, math.nan) for reader in readers] for one in tally.volumes]
    )
    sheet = measurements.Sheet(
        cases=tuple(tally.cases),
        patients=tuple(tally.cases),
        clustered=False,
        readers=tuple(readers),
        values=values,
        unit="ml",
    )
    pairs = list(measurements.paired(sheet))
    wanted = {"volume_icc_2_1", "volume_icc_3_1", "volume_krippendorff_alpha"}
    found = [
        one
        for one in measurements.together(sheet, seed=seed, prefix="volume_")
        if one.key in wanted
    ]
    found += measurements.of_pairs(sheet, pairs, seed=seed, prefix="volume_")
    doubts = [
        *measurements.copied(sheet, what="outlined the same volume"),
        *measurements.proportional(pairs, of=" in volume"),
    ]
    return found, doubts, measurements.drawn(sheet, pairs)


def _each(tally: Tally) -> Iterator[AgreementCase]:
    for n, case in enumerate(tally.cases):
        values = {f"volume_ml:{name}": value for name, value in tally.volumes[n].items()}
        for (pair, tissue), value in tally.dice[n].items():
            values[":".join(("dice", *pair, *((tissue,) if tissue else ())))] = value
        for pair, value in tally.hd95[n].items():
            values[":".join(("hd95_mm", *pair))] = value
        yield AgreementCase(case=case, patient=case, readers=tally.read[n], values=values)


def _drawn(tally: Tally, readers: Sequence[str], found: Sequence[Found]) -> tuple[Drawing, ...]:
    """Dice of each two readers, and how it lies over the cases."""
    sample = Sample(n=len(tally.cases), missed=sum(tally.lost), unit="cases")
    dice = {one.readers: one.estimate for one in found if one.key == "dice" and not one.part}
    rows = [
        ForestRow(name=" and ".join(names) or "all pairs", estimate=estimate)
        for names, estimate in dice.items()
        if math.isfinite(estimate.value)
    ][: _MOST_PAIRS + 1]
    drawings = [forest(rows, label="Dice between readers", sample=sample)] if rows else []
    whole = [tally.whole(n) for n in range(len(tally.cases))]
    spreads = []
    for pair in list(itertools.combinations(readers, 2))[:_MOST_PAIRS]:
        values = of_pair(tally, whole, pair)
        if len(values) > 1:
            spreads.append(
                Spread(
                    name=" and ".join(pair),
                    values=np.array([value for _, value, _ in values]),
                    missed=np.array([lost for _, _, lost in values]),
                    estimate=dice[pair],
                )
            )
    if spreads:
        drawings.append(distribution(spreads, label="Dice", sample=sample))
    return tuple(drawings)
