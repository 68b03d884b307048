"""``onkos readers``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, Out, Seed


def readers(
    ratings: Annotated[Path, typer.Argument(help="Table: reader, modality, case, truth, rating.")],
    out: Out,
    lesions: Annotated[Path | None, typer.Option(help="FROC: table of case, lesions.")] = None,
    software: Annotated[str, typer.Option(help="The reader that is a program.")] = "",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Analyse a reader study (MRMC): whether readers do better with one modality."""
    from onkos.cli import readers as study
    from onkos.cli import show

    made = study.analysed(ratings, lesions, software=software, seed=seed)
    written = study.write(made, out)
    show.tell(json, made.plain(), show.readers(made.analysis, made.caveats, written))
