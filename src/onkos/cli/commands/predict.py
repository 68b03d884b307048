"""``onkos predict``."""

from __future__ import annotations

import typer

from onkos.cli import failure
from onkos.cli.options import CohortFile, Json, ModelFolder, Out


def predict(model: ModelFolder, cohort: CohortFile, out: Out, json: Json = False) -> None:
    """Apply a model to every case: predictions.csv and outlines in masks/."""
    from onkos.cli import show, work
    from onkos.cli.progress import progress
    from onkos.cohort.table import load_table

    with progress(quiet=json) as track:
        made = work.predict(model, load_table(cohort), out, track)
    show.tell(json, made, show.predictions(made))
    if made["predicted"] == 0:
        raise typer.Exit(failure.REFUSED)
