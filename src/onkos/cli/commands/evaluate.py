"""``onkos evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, Out, Seed, Target


def evaluate(
    predictions: Annotated[
        Path, typer.Argument(help="Table: case, patient, and p_CLASS columns or risk (and time).")
    ],
    truth: Annotated[Path, typer.Option("--truth", help="Table of cases with the answers.")],
    out: Out,
    masks: Annotated[Path | None, typer.Option(help="Folder of outlines, CASE.nii.gz.")] = None,
    target: Target = "target",
    positive: Annotated[str, typer.Option(help="Class that sensitivity speaks of.")] = "",
    threshold: Annotated[
        float | None, typer.Option(help="Probability a case is called positive from.")
    ] = None,
    tolerance_mm: Annotated[float, typer.Option(help="Of the surface Dice.")] = 2.0,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Judge finished predictions of any model: every metric with interval, n and misses."""
    from onkos.cli import evaluation, show
    from onkos.cli.progress import progress
    from onkos.evaluate import Settings

    settings = Settings(threshold=threshold, positive=positive, tolerance_mm=tolerance_mm)
    with progress(quiet=json) as track:
        made = evaluation.evaluated(
            predictions,
            truth=(truth, target),
            masks=masks,
            settings=settings,
            seed=seed,
            track=track,
        )
        written = evaluation.write(made, out)
    show.tell(json, made.evaluation, evaluation.shown(made.evaluation, written))
