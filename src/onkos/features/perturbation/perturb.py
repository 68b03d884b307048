"""Perturbed images and outlines of regions, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.mask import Mask, label_counts
from onkos.core.source import Caveat
from onkos.core.volume import Volume
from onkos.features.perturbation.moving import MARGIN_MM, cropped, moved
from onkos.features.perturbation.noise import noise_level, noisy
from onkos.features.perturbation.outline import Bools, grown, redrawn
from onkos.features.perturbation.plan import Perturbation
from onkos.features.radiomics.usable import require_usable

VANISHED = "region-vanished"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Perturbed:
    """One region after one perturbation, cropped with a margin.

    Where nothing of the region is left, ``mask`` is empty and carries a caveat.
    """

    region: str
    perturbation: Perturbation
    volume: Volume
    mask: Mask

    @property
    def vanished(self) -> bool:
        """Whether nothing of the region is left, or the perturbation was impossible."""
        return any(caveat.code == VANISHED for caveat in self.mask.caveats)


def perturbed(
    volume: Volume,
    mask: Mask,
    perturbations: Sequence[Perturbation],
    *,
    rng: np.random.Generator,
    threads: int = 1,
    margin_mm: float = MARGIN_MM,
) -> Iterator[Perturbed]:
    """Yield every region of a mask after every perturbation.

    Each region is perturbed separately, in a block around it, so memory does not grow with the
    image or the number of perturbations. Random draws depend only on the generator's initial
    state, the label and the position in the list, not on the number of threads.

    Parameters
    ----------
    volume
        Grey values on a grid of three axes, of any orientation and spacing.
    mask
        Regions on the same grid; labels without voxels are skipped.
    perturbations
        For example those of :meth:`Perturbations.variants`.
    rng
        Of noise and outlines.
    threads
        Number of threads.
    margin_mm
        Margin of the block around a region.

    Raises
    ------
    GeometryError
        If the grids differ, are sheared (gantry tilt), or are plain pictures.
    ContentError
        If the image has colours, or an intensity within a region is not a number.

    References
    ----------
    Zwanenburg A et al. Assessing robustness of radiomic features by image perturbation. Sci Rep
    2019;9:614. doi:10.1038/s41598-018-36938-4
    """
    require_usable(volume, mask, doing="perturbing")
    seed = int(rng.integers(2**63))
    for label in sorted(label_counts(mask.labels)):
        name = mask.names[label]
        alone = replace(
            mask, labels=(mask.labels == label).view(np.uint8), names={1: name}, caveats=()
        )
        image, region = cropped(volume, alone, margin_mm=margin_mm)
        if not np.isfinite(image.data[region.labels > 0]).all():
            raise ContentError(
                f"region {name!r}: some intensities within the outline are not numbers; "
                "restrict the outline to measured voxels"
            )
        needs_noise = any(one.noise > 0 for one in perturbations)
        sd = noise_level(image, threads=threads) if needs_noise else 0.0
        for number, one in enumerate(perturbations):
            draw = np.random.default_rng([seed, label, number])
            yield _perturbed(image, region, one, sd=sd, rng=draw, threads=threads)


def _perturbed(
    volume: Volume,
    mask: Mask,
    asked: Perturbation,
    *,
    sd: float,
    rng: np.random.Generator,
    threads: int,
) -> Perturbed:
    """Noise, then the grid, then the outline."""
    if asked.noise > 0:
        volume = noisy(volume, sd=asked.noise * sd, rng=rng)
    if asked.moves:
        volume, mask = moved(volume, mask, asked)
    inside = _outlined(volume, mask.labels > 0, asked, rng, threads)
    caveats: tuple[Caveat, ...] = ()
    if inside is None or not inside.any():
        text = f"No region is left, or it cannot grow or move over what was measured: {asked}."
        caveats = (Caveat(code=VANISHED, text=text, where=mask.names[1]),)
        inside = np.zeros(mask.labels.shape, dtype=bool)
    return Perturbed(
        region=mask.names[1],
        perturbation=asked,
        volume=volume,
        mask=replace(mask, labels=inside, caveats=caveats),
    )


def _outlined(
    volume: Volume, inside: Bools, asked: Perturbation, rng: np.random.Generator, threads: int
) -> Bools | None:
    """The outline after growth and redrawing; None where there is none."""
    spacing = volume.geometry.spacing_mm
    if not inside.any() or not np.isfinite(volume.data[inside]).all():
        return None
    if asked.growth:
        allowed = np.isfinite(volume.data)
        larger = grown(inside, asked.growth, spacing_mm=spacing, allowed=allowed, rng=rng)
        if larger is None:
            return None
        inside = larger
    if asked.contour:
        inside = redrawn(volume.data, inside, spacing_mm=spacing, rng=rng, threads=threads)
    return inside
