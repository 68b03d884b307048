"""``onkos evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, Seed, Target, listed


def evaluate(
    predictions: Annotated[
        Path, typer.Argument(help="A table of predictions, or the folder of a comparison.")
    ],
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Table of cases with the answers.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to; that of the comparison.")
    ] = None,
    masks: Annotated[Path | None, typer.Option(help="Folder of outlines, CASE.nii.gz.")] = None,
    target: Target = "target",
    positive: Annotated[str, typer.Option(help="Class that sensitivity speaks of.")] = "",
    threshold: Annotated[
        float | None, typer.Option(help="Probability a case is called positive from.")
    ] = None,
    tolerance_mm: Annotated[float | None, typer.Option(help="Of the surface Dice; 2.")] = None,
    by: Annotated[str, typer.Option(help="Columns to show subgroups of.")] = "",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Judge finished predictions, or again what a comparison kept: every metric with interval."""
    from onkos.cli import evaluation, show
    from onkos.cli.progress import progress

    asked = evaluation.Asked(
        predictions=predictions,
        truth=truth,
        target=target,
        masks=masks,
        seed=seed,
        chosen={
            "threshold": threshold,
            "positive": positive or None,
            "tolerance_mm": tolerance_mm,
            "by": listed(by) or None,
        },
    )
    with progress(quiet=json) as track:
        made = asked.judged(track)
        written = evaluation.write(made, asked.folder(out))
    show.tell(json, evaluation.plain(made), evaluation.shown(made, written))
