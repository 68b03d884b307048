"""Robustness of features over a cohort: perturbed, measured, judged; finished cases are kept."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onkos.core.case import Case, Cohort
from onkos.core.errors import CohortError, ContentError, GeometryError, UsageError
from onkos.core.plain import from_plain, to_plain
from onkos.core.source import PHANTOM, Caveat
from onkos.core.version import __version__
from onkos.features.perturbation import (
    Measured,
    Perturbation,
    Perturbations,
    Robustness,
    Stability,
    judged,
    measured,
    robust_features,
)
from onkos.features.perturbation.robustness import GRADES, UNTOLD
from onkos.features.radiomics import Settings
from onkos.io import results, tables
from onkos.io.whole import write_json

JSON, TABLE, BY_KIND = "robustness.json", "robustness.csv", "robustness-by-kind.csv"
_PARTS = ".parts"
_FAMILIES = {
    "morph": "shape",
    "loc": "local peak",
    "stat": "intensity",
    "ih": "intensity histogram",
    "ivh": "intensity-volume histogram",
    "cm": "co-occurrence",
    "rlm": "run length",
    "szm": "size zone",
    "dzm": "distance zone",
    "ngt": "grey tone difference",
    "ngl": "dependence",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be measured and how it is judged.

    ``pooled`` takes all outlines of a case for regions of one kind, whatever their names.
    """

    settings: Settings
    plan: Perturbations
    seed: int
    least: float
    pooled: bool

    def __post_init__(self) -> None:
        if not 0 < self.least < 1:
            raise UsageError(f"least {self.least}: expected an ICC between 0 and 1, such as 0.75")

    @property
    def variants(self) -> tuple[Perturbation, ...]:
        """The plan's perturbations; the same for every case."""
        return self.plan.variants(np.random.default_rng(self.seed))

    def key(self, cohort: Cohort) -> str:
        """What a case's values depend on, in 16 letters."""
        said = [self.settings.hash, self.plan.hash, self.seed, cohort.fingerprint, __version__]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Robustness by image role and outline's name, and which cases were refused."""

    asked: Asked
    cohort: str
    cases: int
    groups: dict[tuple[str, str], Robustness]
    refused: tuple[dict[str, str], ...]
    caveats: tuple[Caveat, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Form of ``robustness.json``."""
        return {
            "cohort": self.cohort,
            "cases": self.cases,
            "onkos": __version__,
            "settings": self.asked.settings.to_plain(),
            "perturbations": to_plain(self.asked.plan),
            "seed": self.asked.seed,
            "least": self.asked.least,
            "caveats": to_plain(self.caveats),
            "groups": [_group_plain(*group) for group in self.groups.items()],
            "refused": list(self.refused),
        }


def load_plan(path: Path | None) -> Perturbations:
    """Plan of perturbations from TOML or JSON; the default one without a file.

    Raises
    ------
    UsageError
        If the file is neither, or a key or value is unknown.
    """
    if path is None:
        return Perturbations()
    try:
        text = path.read_text(encoding="utf-8")
        plain = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return from_plain(Perturbations, plain)
    except (OSError, ValueError, ContentError) as error:
        raise UsageError(f"{path}: no plan of perturbations as TOML or JSON: {error}") from error


def of_cohort(
    cohort: Cohort, asked: Asked, out: Path, progress: Callable[[int, int], None]
) -> Found:
    """Measure every region of every image of every case under every perturbation, and judge.

    What a case gave is kept in a folder as soon as it is there, so a killed run goes on.
    """
    groups: dict[tuple[str, str], list[Measured]] = {}
    refused: list[dict[str, str]] = []
    key, variants = asked.key(cohort), asked.variants
    pooled = asked.pooled or len(cohort.cases) == 1
    for number, case in enumerate(cohort.cases, start=1):
        try:
            part = out / _PARTS / f"{case.id}-{key}.json"
            for role, region in _part(part, case, asked, variants):
                name = "all" if pooled else region.region
                groups.setdefault((role, name), []).append(replace(region, patient=case.patient))
        except (CohortError, ContentError, GeometryError) as error:
            refused.append({"case": case.id, "error": type(error).__name__, "reason": str(error)})
        progress(number, len(cohort.cases))
    judge = np.random.default_rng([asked.seed, 1])
    return Found(
        asked=asked,
        cohort=cohort.name,
        cases=len(cohort.cases),
        groups={
            group: judged(regions, variants, rng=judge, least=asked.least)
            for group, regions in groups.items()
        },
        refused=tuple(refused),
        caveats=(PHANTOM,) if cohort.simulated else (),
    )


def write(made: Found, out: Path) -> tuple[Path, ...]:
    """Write the two tables and, last, ``robustness.json``."""
    by_kind = [
        _row(role, region, one)
        for (role, region), found in made.groups.items()
        for one in found.stabilities
    ]
    deciding = {found.deciding for found in made.groups.values()}
    rows = [row for row in by_kind if row["perturbed"] in deciding]
    tables.write(out / TABLE, rows)
    tables.write(out / BY_KIND, by_kind)
    write_json(out / JSON, made.plain())
    return out / TABLE, out / BY_KIND, out / JSON


def shown(made: Found, written: Sequence[Path]) -> RenderableType:
    """Show how many features of each family are stable, by what, and where the tables lie."""
    parts: list[RenderableType] = []
    for (role, region), found in made.groups.items():
        deciding = found.of()
        kept = len(robust_features(found))
        most = max(one.regions + one.left_out for one in deciding)
        head = f"{role}, {region}: {kept} of {len(deciding)} features stable over {most} regions"
        parts += [Text(head, style="bold"), _grades(deciding), Text(), _kinds(found), Text()]
        parts += _caveats(found.caveats)
    parts += _caveats(made.caveats)
    parts += [Text(f"  refused {r['case']}: {r['error']}: {r['reason']}") for r in made.refused]
    if written:
        parts += [Text("Written:"), *(Text(f"  {path}") for path in written)]
    return Group(*parts)


def _part(
    part: Path, case: Case, asked: Asked, variants: Sequence[Perturbation]
) -> list[tuple[str, Measured]]:
    """Regions of a case, each with its image's role: those kept, else those measured now."""
    try:
        return [_from_plain(plain) for plain in results.read_json(part)]
    except (ContentError, KeyError, TypeError):
        pass  # not there, or not whole: measured anew
    study, truth = case.study, case.outline
    rng = np.random.default_rng([asked.seed, zlib.crc32(case.id.encode())])
    regions = [
        (role, region)
        for role, volume in study.volumes.items()
        for region in measured(
            volume, truth.on(volume.geometry), variants, settings=asked.settings, rng=rng
        )
    ]
    write_json(part, [_to_plain(role, region) for role, region in regions])
    return regions


def _to_plain(role: str, region: Measured) -> dict[str, Any]:
    return {
        "role": role,
        "region": region.region,
        "columns": region.columns,
        "values": region.values.tolist(),
        "vanished": region.vanished,
    }


def _from_plain(plain: Any) -> tuple[str, Measured]:
    return plain["role"], Measured(
        region=plain["region"],
        columns=tuple(plain["columns"]),
        values=np.array(plain["values"], dtype=np.float64),  # null is NaN
        vanished=plain["vanished"],
    )


def _row(role: str, region: str, one: Stability) -> dict[str, tables.Cell]:
    return {
        "role": role,
        "region": region,
        "feature": one.feature,
        "family": one.family,
        "perturbed": one.kind,
        "icc": one.icc.value,
        "low": one.icc.low,
        "high": one.icc.high,
        "regions": one.regions,
        "perturbations": one.perturbations,
        "grade": one.grade,
        "unstable": one.unstable,
        "note": one.note,
    }


def _group_plain(group: tuple[str, str], found: Robustness) -> dict[str, Any]:
    return {
        "role": group[0],
        "region": group[1],
        "deciding": found.deciding,
        "features": len(found.of()),
        "stable": list(robust_features(found)),
        "grades": dict(Counter(one.grade for one in found.of())),
        "stable_by_kind": {kind: len(robust_features(found, kind)) for kind in found.kinds},
        "caveats": to_plain(found.caveats),
    }


def _grades(stabilities: Sequence[Stability]) -> Table:
    """One line a family: how many features have each grade."""
    table = _table("family", *GRADES, UNTOLD)
    for family in dict.fromkeys(one.family for one in stabilities):
        counts = Counter(one.grade for one in stabilities if one.family == family)
        numbers = (str(counts[grade] or "") for grade in (*GRADES, UNTOLD))
        table.add_row(_FAMILIES.get(family, family), *numbers)
    return table


def _kinds(found: Robustness) -> Table:
    """One line a kind of perturbation: how many features it leaves stable."""
    table = _table("perturbed by", "stable", "unstable", UNTOLD)
    for kind in found.kinds:
        counts = Counter(one.unstable for one in found.of(kind))
        table.add_row(kind, *(str(counts[said]) for said in ("no", "yes", UNTOLD)))
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _caveats(caveats: Sequence[Caveat]) -> list[RenderableType]:
    return [Text(f"  caveat: {caveat}", style="yellow") for caveat in caveats]
