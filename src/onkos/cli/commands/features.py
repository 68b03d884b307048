"""``onkos features``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli import failure
from onkos.cli.options import Json


def features(
    image: Annotated[Path, typer.Argument(help="An image, or a cohort's cases.csv.")],
    out: Annotated[Path, typer.Option("--out", help="Table to write, .csv or .parquet.")],
    mask: Annotated[Path | None, typer.Argument(help="Outlines: NIfTI, SEG, RTSTRUCT.")] = None,
    settings: Annotated[
        Path | None, typer.Option(help="TOML, JSON, YAML; PyRadiomics' parameters too.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Cases of a cohort side by side.")] = 1,
    json: Json = False,
) -> None:
    """Extract IBSI radiomic features: one row a region of an image, or of a cohort."""
    from onkos.cli import extraction, show
    from onkos.cli.progress import progress
    from onkos.cohort.table import load_table
    from onkos.core.plain import to_plain
    from onkos.io import tables

    tables.require_known(out)
    loaded = extraction.load(settings)
    chosen = loaded.settings
    refused: list[dict[str, str]] = []
    with progress(quiet=json) as track:
        if mask is not None:
            rows = extraction.of_image(image, mask, chosen)
        else:
            parts, update = out.with_suffix(".parts"), track("Extracting features")
            with extraction.running(processes) as run:
                rows, refused = extraction.of_cohort(
                    load_table(image), chosen, parts, update, run=run
                )
    made = {"table": str(out), "rows": len(rows), "settings": chosen.hash, "refused": refused}
    made["differences"] = to_plain(loaded.differences)
    if rows:
        tables.write(out, rows)
        made["translated"] = [str(path) for path in extraction.write_translation(loaded, out)]
    show.tell(json, made, show.features(made))
    if not rows:
        raise typer.Exit(failure.REFUSED)
