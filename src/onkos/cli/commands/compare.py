"""``onkos compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Columns, Json, Out, Target, listed


def compare(
    out: Out,
    recipe: Annotated[str | None, typer.Argument(help="A recipe: its name or TOML file.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the recipe's data sets.")] = None,
    cohort: Annotated[Path | None, typer.Option(help="Table of cases, cases.csv.")] = None,
    arm_names: Annotated[str, typer.Option("--arms", help="Names, separated by commas.")] = "",
    target: Target = "target",
    columns: Columns = "",
    folds: Annotated[int | None, typer.Option(help="Folds by patient.", min=2)] = None,
    repeats: Annotated[
        int | None, typer.Option(help="How often folds are drawn anew.", min=1)
    ] = None,
    harmonise: Annotated[
        str, typer.Option(help="Column of the site: ComBat on radiomics- and facts- arms.")
    ] = "",
    covariates: Annotated[
        str, typer.Option(help="Columns whose effect --harmonise keeps, never the target.")
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Of splits, fits and resampling.")] = None,
    processes: Annotated[int, typer.Option(help="Folds run side by side.", min=1)] = 1,
    json: Json = False,
) -> None:
    """Judge several arms on the same folds of a cohort, or follow a recipe."""
    from onkos.cli import show, work
    from onkos.cli.progress import progress
    from onkos.cli.question import Asked
    from onkos.io.results import comparison_plain
    from onkos.report import folder as folders

    asked = Asked(
        recipe=recipe,
        data=data,
        cohort=cohort,
        arms=listed(arm_names),
        target=target,
        columns=listed(columns),
        folds=folds,
        repeats=repeats,
        harmonise=harmonise,
        covariates=listed(covariates),
        seed=seed,
    )
    question = asked.question()
    with progress(quiet=json) as track:
        made = work.compare(question, out, track, processes=processes)
    written = folders.write_comparison(out, made, question.cohort)
    show.tell(json, comparison_plain(made), show.comparison(made, *written))
