"""``onkos open``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli import failure
from onkos.cli.options import Json


def open_path(
    path: Annotated[Path, typer.Argument(help="A file, a folder, an archive.")], json: Json = False
) -> None:
    """Print what studies a file, folder or archive holds, with their caveats."""
    from onkos.cli import show
    from onkos.cli.progress import progress
    from onkos.io import intake

    with progress(quiet=json) as track:
        found = intake.open_path(path, progress=track(f"Opening {path}"))
    show.tell(json, show.intake_plain(found), show.intake(found))
    if not (found.studies or found.lesions):
        raise typer.Exit(failure.REFUSED)
