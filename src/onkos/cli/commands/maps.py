"""``onkos maps``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onkos.cli.options import Json, Out, listed


def maps(
    image: Annotated[Path, typer.Argument(help="An image, of one series.")],
    mask: Annotated[Path, typer.Argument(help="Outlines: NIfTI, SEG, RTSTRUCT.")],
    out: Out,
    settings: Annotated[Path | None, typer.Option(help="TOML or JSON; see the docs.")] = None,
    feature_names: Annotated[
        str, typer.Option("--features", help="Tags or families, separated by commas.")
    ] = "",
    radius: Annotated[int, typer.Option(help="Voxels around a voxel that are looked at.")] = 1,
    region: Annotated[str, typer.Option(help="The outline that is meant, by name.")] = "",
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="Look beyond the outline too.")
    ] = False,
    json: Json = False,
) -> None:
    """Map radiomic features of the neighbourhood of every voxel: one NIfTI a feature."""
    from onkos.cli import extraction, show
    from onkos.cli import maps as feature_maps
    from onkos.cli.progress import progress
    from onkos.features.radiomics.maps import Window

    asked = feature_maps.Asked(
        settings=extraction.load_settings(settings),
        features=listed(feature_names),
        window=Window(radius=radius, masked=not unmasked),
        region=region,
    )
    with progress(quiet=json) as track:
        made = feature_maps.of_image(image, mask, asked, out, track("Mapping features"))
    show.tell(json, made, feature_maps.shown(made, out))
