"""``onkos robustness``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli import failure
from onkos.cli.options import Json, Out, Seed


def robustness(
    cohort: Annotated[Path, typer.Argument(help="Table of cases, cases.csv, with masks.")],
    out: Out,
    settings: Annotated[Path | None, typer.Option(help="Of the features: TOML or JSON.")] = None,
    perturbations: Annotated[Path | None, typer.Option(help="A plan: TOML or JSON.")] = None,
    least: Annotated[
        float, typer.Option(help="Lower end of the ICC's interval that counts as stable.")
    ] = 0.75,
    pool: Annotated[
        bool, typer.Option("--pool", help="All outlines are regions of one kind.")
    ] = False,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Tell which radiomic features stay the same when image and outline are perturbed."""
    from onkos.cli import extraction, show
    from onkos.cli import robustness as robust
    from onkos.cli.progress import progress
    from onkos.cohort.table import load_table

    asked = robust.Asked(
        settings=extraction.load_settings(settings),
        plan=robust.load_plan(perturbations),
        seed=seed,
        least=least,
        pooled=pool,
    )
    with progress(quiet=json) as track:
        made = robust.of_cohort(load_table(cohort), asked, out, track("Perturbing regions"))
    written = robust.write(made, out) if made.groups else ()
    show.tell(json, made.plain(), robust.shown(made, written))
    if not made.groups:
        raise typer.Exit(failure.REFUSED)
