"""What commands print: tables of at most 80 columns for people, plain values for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from onkos.core.errors import GeometryError
from onkos.report import words

if TYPE_CHECKING:  # only named: a page is shown without what made its values
    from onkos.core.card import Card
    from onkos.core.comparison import Comparison
    from onkos.core.findings import Lesion
    from onkos.core.mask import Mask
    from onkos.core.reading import Reading
    from onkos.core.source import Caveat
    from onkos.core.study import Study
    from onkos.core.volume import Volume
    from onkos.io.intake import Intake, Refusal
    from onkos.stats.readers.analysis import ReaderAnalysis

_MAIN = ("dice", "auc", "brier", "sensitivity", "specificity")

console = Console(highlight=False, markup=False)


def tell(machine: bool, plain: Any, page: RenderableType) -> None:
    """Print the machine's form, one JSON object, or the person's page."""
    if machine:
        from onkos.core.plain import to_plain

        typer.echo(json.dumps(to_plain(plain), indent=2, ensure_ascii=False))
    else:
        console.print(page)


def intake_plain(found: Intake) -> dict[str, Any]:
    """Form that ``onkos open --json`` prints."""
    from onkos.core.plain import to_plain

    return {
        "studies": [_study_plain(study) for study in found.studies],
        "lesions": to_plain(found.lesions),
        "refused": to_plain(found.refused),
    }


def intake(found: Intake) -> RenderableType:
    """Show what a path holds: images, outlines, caveats, refusals."""
    parts: list[RenderableType] = []
    for study in found.studies:
        parts += _study(study)
    if found.lesions:
        parts.append(Text(f"Lesions in structured reports: {len(found.lesions)}", style="bold"))
        parts += [Text(f"  {_described(lesion)}") for lesion in found.lesions]
    if found.refused:
        parts.append(Text(f"Refused: {len(found.refused)}", style="bold"))
        parts += [Text(f"  {_refused(r)}") for r in found.refused]
    return Group(*parts)


def card(model: Card, out: Path) -> RenderableType:
    """Show a fitted model: where it lies, and how well it did on patients it had not seen."""
    head = Text(f"{model.arm}, fitted on {model.patients} patients of {model.cohort}: {out}")
    if not model.estimates:
        warning = "Too few patients to learn its errors: readings will carry no intervals."
        return Group(head, Text(warning), _next(f"onkos read {out} STUDY --out DIR"))
    table = _table("on unseen patients", "estimate (95 %)", "n", "missed")
    for name, estimate in model.estimates.items():
        table.add_row(name, str(estimate), str(estimate.n), str(estimate.missed))
    return Group(head, table, _next(f"onkos read {out} STUDY --out DIR"))


def predictions(made: Mapping[str, Any]) -> RenderableType:
    """Show what was predicted and what was refused."""
    lines = [Text(f"{made['predicted']} cases predicted: {made['predictions']}")]
    lines += [Text(f"  refused {r['case']}: {r['error']}: {r['reason']}") for r in made["refused"]]
    return Group(*lines)


def readers(
    made: ReaderAnalysis, caveats: Iterable[Caveat], written: Iterable[Path]
) -> RenderableType:
    """Show the tests with readers and cases random, what limits them, and where the files lie."""
    table = _table("figure", "method", "difference of", "estimate (95 %)", "p")
    for test in made.tests:
        if test.factors == "RRRC" and len(test.modalities) == 2:
            difference = words.ranged(test.difference, test.low, test.high)
            method = f"{test.analysis}, {test.covariance}"
            pair = " - ".join(test.modalities)
            table.add_row(test.fom, method, pair, str(difference), words.p_value(test.p))
    head = Text(
        f"{len(made.readers)} readers, {len(made.modalities)} modalities, "
        f"{made.abnormal} abnormal and {made.normal} normal cases"
    )
    refused = [Text(f"  not analysed: {one.what}: {one.why}") for one in made.refused]
    files = [Text(f"  {path}") for path in written]
    return Group(head, table, *_caveats(caveats), *refused, Text("Written:"), *files)


def features(made: Mapping[str, Any]) -> RenderableType:
    """Show where the table lies and which cases were refused."""
    lines = [Text(f"{made['rows']} regions: {made['table']}")] if made["rows"] else []
    lines += [Text(f"  refused {r['case']}: {r['error']}: {r['reason']}") for r in made["refused"]]
    if made["differences"]:
        lines.append(Text("Unlike PyRadiomics:"))
        lines += [Text(f"  {d['about']}: {d['kind']}: {d['reason']}") for d in made["differences"]]
    return Group(*lines)


def comparison(made: Comparison, *written: Path) -> RenderableType:
    """Show every arm's main metrics with their intervals, and the tests between them."""
    kind = "phantom patients" if made.simulated else "patients"
    title = Text(f"{made.cohort}: {made.patients} {kind}, {made.folds} folds")
    table = _table("arm", "metric", "estimate (95 %)", "n", "missed")
    for arm in made.arms:
        for name, estimate in arm.metrics.items():
            if name.partition(":")[0] in _MAIN:
                row = (arm.name, name, str(estimate), str(estimate.n), str(estimate.missed))
                table.add_row(*row)
    tests = _table("difference", "estimate (95 %)", "p (Holm)")
    for test in made.tests:
        what = f"{test.a} - {test.b}, {test.metric}"
        tests.add_row(what, str(test.difference), f"{test.p_adjusted:.3g}")
    parts: list[RenderableType] = [title, table]
    if made.tests:
        parts += [Text(), tests]
    files = [Text(f"  {path}") for path in written]
    return Group(*parts, *_caveats(made.caveats), Text("Written:"), *files)


def listing(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> RenderableType:
    """Show rows under headings, the last column folded."""
    table = _table(*headings)
    for row in rows:
        table.add_row(*row)
    return table


def reading(made: Reading, written: Iterable[Path]) -> RenderableType:
    """Show the lesions with their measurements, what limits them, and where the files lie."""
    table = _table("lesion", "tissue", "what", "value (95 %)", "unit")
    for lesion in made.lesions:
        for row in _measurements(lesion):
            table.add_row(*row)
    head = Text(f"{len(made.lesions)} lesions outlined in {made.study.patient.id}")
    files = [Text(f"  {path}") for path in written]
    return Group(head, table, *_caveats(made.caveats), Text("Written:"), *files)


def demo(made: Mapping[str, Any]) -> RenderableType:
    """Show where the demo's results lie."""
    return Group(
        Text(f"Done in {made['seconds']:.0f} s. All patients here are simulated (phantom)."),
        Text(f"  The new patient's reading  {made['reading']}"),
        Text(f"  The comparison of methods  {made['comparison']}"),
        Text(f"  The fitted model           {made['model']}"),
        Text(f"  The new patient as DICOM   {made['study']}"),
        _next(f"onkos read {made['model']} {made['study']} --out my-reading"),
    )


def _measurements(lesion: Lesion) -> Iterable[tuple[str, str, str, str, str]]:
    for m in lesion.measurements:
        value = f"{m.value:.1f}"
        if m.interval:
            value += f" ({m.interval[0]:.1f}-{m.interval[1]:.1f})"
        yield lesion.id, m.tissue or "whole", m.concept.meaning.lower(), value, m.ucum


def _study(study: Study) -> list[RenderableType]:
    date = study.date.isoformat() if study.date else "no date"
    title = Text(
        f"{study.patient.id or 'no patient id'}, {date}  {study.description}", style="bold"
    )
    table = _table("role", "kind", "voxels", "mm", "unit")
    for role, volume in study.volumes.items():
        table.add_row(role, volume.modality, *_grid(volume), words.unit(volume.unit))
    parts: list[RenderableType] = [title, table] if study.volumes else [title]
    outlines = [Text(f"  outline: {_outline(mask)}") for mask in study.masks]
    return [*parts, *outlines, *_caveats(study.all_caveats), Text()]


def _described(lesion: Lesion) -> str:
    """Name of a reported lesion, and what was measured of it."""
    said = [f"{m.concept.meaning.lower()} {m.value:.4g} {m.ucum}" for m in lesion.measurements]
    return f"{lesion.id}: {', '.join(said) or 'nothing measured'}"


def _refused(one: Refusal) -> str:
    """Reason of a refusal, with the path before it where the reason does not name it."""
    return one.reason if one.reason.startswith(one.path) else f"{one.path}: {one.reason}"


def _grid(volume: Volume) -> tuple[str, str]:
    shape = " x ".join(str(side) for side in volume.geometry.shape)
    spacing = _spacing(volume)
    return shape, " x ".join(f"{step:.3g}" for step in spacing) if spacing else "unknown"


def _outline(mask: Mask) -> str:
    volumes = _volumes(mask)
    if volumes is None:
        return ", ".join(mask.names.values())
    return ", ".join(f"{name} {ml:.2f} ml" for name, ml in volumes.items())


def _study_plain(study: Study) -> dict[str, Any]:
    return {
        "patient": study.patient.id,
        "date": study.date.isoformat() if study.date else None,
        "volumes": [_volume_plain(role, volume) for role, volume in study.volumes.items()],
        "masks": [
            {
                "names": list(mask.names.values()),
                "volumes_ml": _volumes(mask),
                "caveats": [str(caveat) for caveat in mask.caveats],
            }
            for mask in study.masks
        ],
        "caveats": [str(caveat) for caveat in study.caveats],
    }


def _volume_plain(role: str, volume: Volume) -> dict[str, Any]:
    return {
        "role": role,
        "modality": volume.modality,
        "shape": list(volume.geometry.shape),
        "spacing_mm": _spacing(volume),
        "affine_lps": volume.geometry.affine.tolist() if volume.geometry.ndim == 3 else None,
        "unit": volume.unit,
        "series_uid": volume.source.series_uid if volume.source else None,
        "caveats": [str(caveat) for caveat in volume.caveats],
    }


def _spacing(volume: Volume) -> list[float] | None:
    return list(volume.geometry.spacing_mm) if volume.geometry.calibrated else None


def _volumes(mask: Mask) -> dict[str, float] | None:
    try:
        return mask.volumes_ml
    except GeometryError:
        return None


def _caveats(caveats: Iterable[Caveat]) -> list[RenderableType]:
    return [Text(f"  caveat: {caveat}", style="yellow") for caveat in caveats]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _next(command: str) -> Text:
    return Text(f"Next: {command}")
