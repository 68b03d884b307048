"""``onkos report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.core.errors import UsageError


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a reading or a comparison.")],
    study: Annotated[Path | None, typer.Option(help="The study, for a reading.")] = None,
) -> None:
    """Make report.html of a reading or comparison folder again."""
    from onkos.io import intake
    from onkos.io.whole import write_text
    from onkos.report import folder as folders
    from onkos.report import reading as reading_page

    page = folder / "report.html"
    if (folder / "comparison.json").is_file():
        folders.rewrite_comparison(folder)
    elif (folder / "reading.json").is_file():
        if study is None:
            raise UsageError(f"{folder} holds a reading: give its images with --study PATH")
        reading = folders.load_reading(folder, intake.open_study(study))
        write_text(page, reading_page.render(reading))
    else:
        raise UsageError(f"{folder}: no reading.json and no comparison.json; name such a folder")
    typer.echo(f"Report: {page}")
