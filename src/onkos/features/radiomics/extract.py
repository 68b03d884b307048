"""From a volume and a mask to a table of features."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from onkos.core.errors import ContentError
from onkos.core.mask import Mask
from onkos.core.volume import Volume
from onkos.features.radiomics import catalogue, intensity, sweep, zones
from onkos.features.radiomics.assemble import Found, Part, assembled
from onkos.features.radiomics.correlation import moran_geary
from onkos.features.radiomics.filtered import Filtering
from onkos.features.radiomics.morphology import centre_shift, morphology
from onkos.features.radiomics.peaks import peaks
from onkos.features.radiomics.region import Region, blocks, in_levels, region
from onkos.features.radiomics.responses import ProcessedRegions, responses
from onkos.features.radiomics.settings import Settings
from onkos.features.radiomics.table import Table
from onkos.features.radiomics.usable import require_usable
from onkos.features.threads import each

_LARGE = 1 << 15  # voxels of a bounding box from which several threads pay off
_LARGE_ALONE = 1 << 12  # the same where there are fewer regions than threads


def radiomics(
    volume: Volume, mask: Mask, settings: Settings | None = None, *, threads: int = 2
) -> Table:
    """Radiomic features of every region of a mask, to the IBSI-1 reference.

    Size, shape, intensity and texture of a lesion, reproducible with other IBSI-compliant
    software. They are research values: whether a feature has clinical meaning has to be shown in
    a cohort. Slices are the planes of the volume's last axis; oblique grids are allowed.

    Parameters
    ----------
    volume
        Grey values on a grid of three axes.
    mask
        Regions on the same grid, any number of labels; each is cropped and processed separately.
    settings
        Image processing, families and aggregations; the defaults of :class:`Settings` if None.
    threads
        Number of threads; the values do not depend on it.

    Returns
    -------
    Table
        One row a named label, in the order of the labels; the columns of a filter's features
        begin with its name (``log_1.5mm_stat_mean``). A label without voxels has a row of
        NaN and a caveat that says so, as has every value that is undefined for its region.

    Raises
    ------
    GeometryError
        If the grids differ, are sheared (gantry tilt), or are plain pictures.
    ContentError
        If the image has colours, or an intensity within a region is not a number.

    References
    ----------
    Zwanenburg A et al. The Image Biomarker Standardization Initiative: standardized
    quantitative radiomics for high-throughput image-based phenotyping. Radiology 2020;295:
    328-338. doi:10.1148/radiol.2020191145
    """
    settings = Settings() if settings is None else settings
    require_usable(volume, mask, doing="radiomics")
    image, labels = volume.data.T, mask.labels.T
    if settings.normalisation is not None:
        image = settings.normalisation.applied(image)
    spacing = volume.geometry.spacing_mm[::-1]
    wanted = sorted(mask.names)
    boxes = blocks(labels, np.array(wanted, dtype=np.int64))
    regions: ProcessedRegions = [None] * len(wanted)  # kept only where filters look at them again
    plain = settings.of_original()

    def work(n: int, threads: int) -> Found | None:
        box = boxes[n]
        found = None if box is None else region(image, labels, wanted[n], box, spacing, settings)
        if settings.filters:
            regions[n] = found
        return None if found is None else features(found, plain, threads=threads)

    names = [mask.names[label] for label in wanted]
    sizes = [0 if box is None else _size(box) for box in boxes]
    parts = [Part(rows=_each(work, names, sizes, threads), settings=plain)]
    for filtering, seen in responses(image, spacing, regions, settings, threads=threads):
        parts.append(_of_response(filtering, seen, names, settings, threads))
    return assembled(names, parts, settings)


def _each(
    work: Callable[[int, int], Found | None], names: list[str], sizes: list[int], threads: int
) -> list[Found | None]:
    """Features of all regions: large ones one after the other, small ones in parallel."""

    def named(n: int, threads: int = 1) -> Found | None:
        try:
            return work(n, threads)
        except ContentError as error:
            raise ContentError(f"region {names[n]!r}: {error}") from error

    worth = _LARGE if len(names) >= threads else _LARGE_ALONE
    rows = {n: named(n, threads) for n, size in enumerate(sizes) if size >= worth}
    small = [(n,) for n in range(len(names)) if n not in rows]
    rows.update(zip((n for (n,) in small), each(named, small, threads=threads), strict=True))
    return [rows[n] for n in range(len(names))]


def _of_response(
    filtering: Filtering, seen: ProcessedRegions, names: list[str], settings: Settings, threads: int
) -> Part:
    """Features of all regions in the response to one filter."""
    asked = settings.of_response(filtering)

    def work(n: int, threads: int) -> Found | None:
        found = seen[n]
        try:
            return None if found is None else features(found, asked, threads=threads)
        except ContentError as error:
            raise ContentError(f"filter {filtering.id}: {error}") from error

    sizes = [0 if found is None else found.inside.size for found in seen]
    return Part(rows=_each(work, names, sizes, threads), settings=asked, prefix=f"{filtering.id}_")


def features(found: Region, settings: Settings, *, threads: int = 1) -> Found:
    """Features of one processed region, by family and aggregation, in the catalogue's order."""
    families = settings.families
    jobs: list[Callable[[], Found]] = []
    if found.inside.any():
        if {"morph"} & set(families):
            jobs.append(lambda: {"moran": np.array(_correlation(found))})
        jobs.extend(_texture_jobs(found, settings))
        if "loc" in families:
            jobs.append(lambda: {"loc": np.array(_peaks(found))})
        if {"stat", "ivh", "morph"} & set(families):
            jobs.append(lambda: _intensities(found, settings))
    if "morph" in families:
        jobs.insert(1, lambda: _shape(found))
    known: Found = {}
    for part in each(lambda n: jobs[n](), [(n,) for n in range(len(jobs))], threads=threads):
        known.update(part)
    if "morph" in families:
        mean = known["stat"][0] if "stat" in known else math.nan
        moran, geary = known.pop("moran", np.full(2, math.nan))
        known["morph"] = np.append(known["morph"], [mean * known["morph"][0], moran, geary])
    return known


def _texture_jobs(found: Region, settings: Settings) -> list[Callable[[], Found]]:
    asked = set(settings.families)
    extents = catalogue.extents(settings.aggregations)
    if not asked & {"ih", *catalogue.DIRECTED, *catalogue.UNDIRECTED}:
        return []
    levels, count = in_levels(found, settings)
    jobs: list[Callable[[], Found]] = []
    if asked & {"cm", "rlm", "ngt", "ngl"}:
        averaged = "3D_avg" in settings.aggregations
        dependence = settings.dependence
        if "3D" in extents:
            jobs.append(
                lambda: sweep.textures_3d(
                    levels, count, dependence=dependence, averaged=averaged, threads=1
                )
            )
        if {"2D", "2_5D"} & set(extents):
            jobs.append(lambda: sweep.textures_2d(levels, count, dependence=dependence))
    if asked & {"szm", "dzm"}:
        if "3D" in extents:
            jobs.append(lambda: zones.textures(levels, found.outline, count, flat=False))
        if {"2D", "2_5D"} & set(extents):
            jobs.append(lambda: zones.textures(levels, found.outline, count, flat=True))
    if "ih" in asked:
        jobs.append(lambda: {"ih": intensity.histogram(np.bincount(levels[levels > 0]))})
    return jobs


def _correlation(found: Region) -> tuple[float, float]:
    return moran_geary(found.box, found.inside, found.spacing_mm)


def _peaks(found: Region) -> tuple[float, float]:
    return peaks(found.image, found.inside, found.corner, found.spacing_mm, threads=1)


def _intensities(found: Region, settings: Settings) -> Found:
    ordered = np.sort(found.box[found.inside])
    known = {"stat": intensity.statistics(ordered)}
    if "ivh" in settings.families:
        known["ivh"] = intensity.volume_histogram(ordered, settings)
    return known


def _shape(found: Region) -> Found:
    values, centroid = morphology(found.outline, found.spacing_mm)
    values[9] = centre_shift(found.box, found.inside, centroid, found.spacing_mm)
    return {"morph": values}


def _size(box: tuple[tuple[int, int], ...]) -> int:
    return math.prod(stop - start for start, stop in box)
