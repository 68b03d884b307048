"""``onkos read``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, ModelFolder, Out, Roles


def read(
    model: ModelFolder,
    study: Annotated[Path, typer.Argument(help="The study: DICOM folder, NIfTI, archive.")],
    out: Out,
    roles: Roles = None,
    json: Json = False,
) -> None:
    """Read a study with a model: outline, measure, report; SEG, RTSTRUCT and SR beside it."""
    from onkos import arms
    from onkos.cli import show, work
    from onkos.cli.progress import progress
    from onkos.io import intake, results
    from onkos.read import read as read_study
    from onkos.report import folder as folders

    fitted = arms.load(model)
    with progress(quiet=json) as track:
        opened = intake.open_study(study, progress=track(f"Opening {study}"))
        reading = read_study(fitted, work.with_roles(opened, roles or []))
        written = folders.write_reading(out, reading)
    show.tell(json, results.read_json(out / "reading.json"), show.reading(reading, written))
