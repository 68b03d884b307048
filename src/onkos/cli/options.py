"""Options that several commands have, each with one name, one help text and one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelFolder = Annotated[Path, typer.Argument(help="Folder of a fitted model.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
CohortFile = Annotated[Path, typer.Option("--cohort", help="Table of cases, cases.csv.")]
Target = Annotated[str, typer.Option(help="Column of the reference class.")]
Columns = Annotated[str, typer.Option(help="Columns that facts- arms look at.")]
Seed = Annotated[int, typer.Option("--seed", help="Of splits, fits and resampling.")]
Folds = Annotated[int, typer.Option("--folds", help="Folds by patient.", min=2)]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="ROLE=SERIES_UID: which series stands in a role. Repeatable."),
]


def listed(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
