"""Maps of features as files, one a feature; maps that are there already are kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from onkos.cli import extraction
from onkos.core.errors import ContentError, UsageError
from onkos.core.mask import Mask
from onkos.core.version import __version__
from onkos.core.volume import Volume
from onkos.features.radiomics import Settings
from onkos.features.radiomics.maps import DEFAULT, Window, maps, tags
from onkos.io import nifti, results
from onkos.io.whole import write_json

JSON = "maps.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be mapped: features by tag or family, around each voxel of which region."""

    settings: Settings
    features: tuple[str, ...]
    window: Window
    region: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Tags of the maps."""
        return tags(self.features or self.settings.features or DEFAULT)

    def key(self, volume: Volume, mask: Mask) -> str:
        """What the values of a map depend on, in 64 letters."""
        said = [self.settings.hash, self.window.radius, self.window.masked, __version__]
        labels = sorted((label, name) for label, name in mask.names.items())
        told = hashlib.sha256(json.dumps([said, labels]).encode())
        for array in (volume.geometry.affine, *volume.data.T, *mask.labels.T):
            told.update(f"{array.dtype}{array.shape}".encode())
            told.update(np.ascontiguousarray(array).data)
        return told.hexdigest()


def of_image(
    image: Path, outlines: Path, asked: Asked, out: Path, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Write the maps of an image's regions, one NIfTI a feature, and ``maps.json``.

    After each map ``maps.json`` says what is there, so a killed run goes on. A map is kept if it
    was made of the same image and outlines, with the same settings, window and version.

    Raises
    ------
    ContentError
        If there is more than one image, no outline, or several that overlap and none is named.
    UsageError
        If a feature or the region is unknown, or the folder holds maps made otherwise.
    """
    names = asked.names
    volume, mask = _chosen(image, outlines, asked.region)
    made: dict[str, Any] = {
        "onkos": __version__,
        "key": asked.key(volume, mask),
        "settings": asked.settings.to_plain(),
        "settings_hash": asked.settings.hash,
        "radius": asked.window.radius,
        "masked": asked.window.masked,
        "regions": list(mask.names.values()),
    }
    kept = _kept(out, made["key"])
    told = {name: kept[name] for name in names if name in kept}
    progress(len(told), len(names))
    for family in dict.fromkeys(name.split("_", 1)[0] for name in names if name not in told):
        part = [name for name in names if name.startswith(f"{family}_") and name not in told]
        began = time.perf_counter()
        found = maps(volume, mask, asked.settings, features=part, window=asked.window)
        seconds = time.perf_counter() - began
        for name in found:
            one = found[name]
            nifti.write_volume(out / f"{name}.nii.gz", one)
            told[name] = {
                "file": f"{name}.nii.gz",
                "unit": one.unit,
                "voxels": int(np.isfinite(one.data).sum()),
                "seconds": round(seconds / len(part), 4),
                "caveats": [str(caveat) for caveat in one.caveats],
            }
            write_json(out / JSON, {**made, "maps": {**kept, **told}})
            progress(len(told), len(names))
    return {**made, "maps": {name: told[name] for name in names}, "kept": sorted(kept)}


def shown(made: dict[str, Any], out: Path) -> RenderableType:
    """Show how many maps there are, where they lie, and what is undefined in them."""
    new = [name for name in made["maps"] if name not in made["kept"]]
    seconds = sum(made["maps"][name]["seconds"] for name in new)
    side = 2 * made["radius"] + 1
    head = (
        f"{len(made['maps'])} maps of {', '.join(made['regions'])}, windows of {side} voxels a "
        f"side: {len(new)} made in {seconds:.1f} s, {len(made['maps']) - len(new)} kept"
    )
    caveats = dict.fromkeys(text for one in made["maps"].values() for text in one["caveats"])
    lines = [Text(f"  caveat: {text}", style="yellow") for text in caveats]
    files = [Text(f"  {out / one['file']}") for one in made["maps"].values()]
    return Group(Text(head), *lines, Text("Written:"), *files, Text(f"  {out / JSON}"))


def _chosen(image: Path, outlines: Path, region: str) -> tuple[Volume, Mask]:
    """The image, and the one outline that is meant."""
    volume, found = extraction.opened(image, outlines)
    if region:
        having = [mask for mask in found if region in mask.names.values()]
        if len(having) != 1:
            known = sorted({name for mask in found for name in mask.names.values()})
            raise UsageError(f"region {region!r}: expected one of {', '.join(known)}")
        return volume, having[0].select(region)
    if len(found) != 1:
        raise ContentError(
            f"{outlines}: {len(found)} outlines that overlap; expected one map of regions. Name "
            "the region that is meant with --region NAME"
        )
    return volume, found[0]


def _kept(out: Path, key: str) -> dict[str, Any]:
    """Maps that ``maps.json`` says were made of just this, and that are still there."""
    try:
        stored = results.read_json(out / JSON)
        theirs, known = stored["key"], dict(stored["maps"])
    except (ContentError, KeyError, TypeError, ValueError):
        return {}
    there = {name: one for name, one in known.items() if (out / one["file"]).is_file()}
    if there and theirs != key:
        raise UsageError(
            f"{out} holds maps of another image, outline, window or version, or with other "
            "settings; name another folder, or remove it"
        )
    return there
