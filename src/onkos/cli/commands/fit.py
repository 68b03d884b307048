"""``onkos fit``."""

from __future__ import annotations

from typing import Annotated

import typer

from onkos.cli.options import CohortFile, Columns, Folds, Json, Out, Seed, Target, listed


def fit(
    arm: Annotated[str, typer.Argument(help="Name of the method; see the docs.")],
    cohort: CohortFile,
    out: Out,
    target: Target = "target",
    columns: Columns = "",
    folds: Folds = 5,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit an arm on a cohort and write the model, with its errors on unseen patients."""
    from onkos.cli import show, work
    from onkos.cli.progress import progress
    from onkos.cli.question import Asked
    from onkos.core.plain import to_plain

    asked = Asked(
        cohort=cohort,
        arms=(arm,),
        target=target,
        columns=listed(columns),
        folds=folds,
        seed=seed,
    )
    with progress(quiet=json) as track:
        model = work.fit(asked.question(), out, track)
    model.save(out)
    show.tell(json, to_plain(model.card), show.card(model.card, out))
