"""``onkos agree``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, Out, Seed, listed


def agree(
    given: Annotated[
        list[Path], typer.Argument(help="A table of readings; or masks; or a folder a reader.")
    ],
    out: Out,
    readers: Annotated[
        str, typer.Option(help="Columns of a wide table, or names of the masks or folders.")
    ] = "",
    scale: Annotated[str, typer.Option(help="Of categories: nominal or ordinal.")] = "",
    order: Annotated[str, typer.Option(help="Categories, least to most, with commas.")] = "",
    weights: Annotated[
        str, typer.Option(help="Of an ordinal scale: quadratic, linear or ordinal.")
    ] = "quadratic",
    unit: Annotated[str, typer.Option(help="Of measurements, e.g. mm; 1 for none.")] = "",
    image: Annotated[Path | None, typer.Option(help="What a SEG or RTSTRUCT was drawn on.")] = None,
    within: Annotated[
        str, typer.Option(help="Where STAPLE looks: box (around all outlines) or image.")
    ] = "box",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Tell how far several readers agree: categories, measurements or outlines."""
    from onkos.cli import agreement, show
    from onkos.cli.progress import progress
    from onkos.core.plain import to_plain

    asked = agreement.Asked(
        paths=tuple(given),
        readers=listed(readers),
        scale=scale,
        order=listed(order),
        unit=unit,
        image=image,
        settings=agreement.settings(weights=weights, within=within),
    )
    with progress(quiet=json) as track:
        made, written = agreement.agreed(asked, out, seed=seed, track=track)
    show.tell(json, to_plain(made.agreement), agreement.shown(made.agreement, written))
