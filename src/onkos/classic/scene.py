"""Input and output of the segmentation members: Scene and Outline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from onkos.classic.learning import Bools
from onkos.core.errors import ContentError, GeometryError, UsageError
from onkos.core.geometry import AnyArray, FloatArray

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

UNKNOWN = -1  # value of voxels without a seed
_LEAST = np.float32(1e-6)  # lower limit of a probability


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """One image, with class probabilities and seeds of its voxels where there are any.

    Classes are numbered from 0; 0 is healthy or background.

    Parameters
    ----------
    image
        (channels, *grid), two or three axes; finite inside.
    spacing_mm
        Voxel spacing along each axis of the grid.
    inside
        (*grid): voxels to be segmented; all by default.
    probability
        (classes, *grid): class probabilities by a table member or another model.
    seeds
        (*grid): class of the seed voxels, -1 elsewhere; a seed keeps its class.
    regions
        (*grid): supervoxels numbered from 1, 0 outside; without them, members that need
        supervoxels compute their own.

    Raises
    ------
    GeometryError
        If shapes or spacing do not fit.
    ContentError
        If values are not finite, probabilities do not sum to one, a seed lies outside the
        classes, or nothing is inside.
    """

    image: Float32
    spacing_mm: tuple[float, ...]
    inside: Bools | None = None
    probability: Float32 | None = None
    seeds: AnyArray | None = None
    regions: AnyArray | None = None

    def __post_init__(self) -> None:
        image = np.asarray(self.image, dtype=np.float32)
        grid = image.shape[1:]
        steps = np.asarray(self.spacing_mm, dtype=np.float64)
        if len(grid) not in (2, 3) or steps.shape != (len(grid),) or not (steps > 0).all():
            raise GeometryError(
                f"image of shape {image.shape} with spacing {self.spacing_mm} mm: expected "
                "(channels, two or three axes) and a positive spacing for each axis"
            )
        inside = self.inside
        inside = np.ones(grid, dtype=np.bool_) if inside is None else np.asarray(inside, dtype=bool)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "inside", inside)
        for name in ("inside", "probability", "seeds", "regions"):
            array = getattr(self, name)
            if array is not None and array.shape[-len(grid) :] != grid:
                raise GeometryError(f"{name} of shape {array.shape} on a grid of shape {grid}")
        if not inside.any() or not np.isfinite(image[:, inside]).all():
            raise ContentError(
                "image: no voxel inside, or values there that are not finite; expected finite "
                "values wherever inside is true"
            )
        self._require_classes()

    def _require_classes(self) -> None:
        inside = self.within
        if self.probability is not None:
            own = self.probability[:, inside]
            if len(own) < 2 or not np.isfinite(own).all() or own.min() < -1e-5:
                raise ContentError("probability: expected two classes or more, finite and not < 0")
            if np.abs(own.sum(axis=0) - 1).max() > 1e-3:
                raise ContentError("probability: does not sum to one over the classes somewhere")
        if self.seeds is not None:
            known = np.unique(self.seeds[inside])
            known = known[known != UNKNOWN]
            if len(known) == 0 or known.min() < 0 or known.max() >= max(self.classes, 2):
                raise ContentError(
                    f"seeds: values {known[:10].tolist()}; expected -1 where unknown and classes "
                    "from 0 on, at least one of them inside"
                )

    @property
    def within(self) -> Bools:
        """Voxels to be segmented."""
        inside = self.inside
        return np.ones(self.image.shape[1:], dtype=np.bool_) if inside is None else inside

    @property
    def classes(self) -> int:
        """Number of classes; 0 where there are neither probabilities nor seeds."""
        if self.probability is not None:
            return len(self.probability)
        return 0 if self.seeds is None else max(int(self.seeds[self.within].max()) + 1, 2)

    def raised(self) -> Scene:
        """Return the scene on three axes (a picture is a single slice), zero outside."""
        flat = self.image.ndim == 3
        grid = (1, *self.image.shape[1:]) if flat else self.image.shape[1:]
        inside = self.within
        probability = self.probability
        if probability is not None:
            probability = np.where(inside, probability, np.float32(1 / len(probability)))
            probability = probability.reshape(len(probability), *grid).astype(np.float32)
        return replace(
            self,
            image=np.where(inside, self.image, 0).reshape(len(self.image), *grid),
            spacing_mm=(max(self.spacing_mm), *self.spacing_mm) if flat else self.spacing_mm,
            inside=inside.reshape(grid),
            probability=probability,
            seeds=None if self.seeds is None else self.seeds.reshape(grid),
            regions=None if self.regions is None else self.regions.reshape(grid),
        )

    def evidence(self) -> Float32:
        """(classes, *grid): probability of each class in each voxel, seeds at nearly one.

        Without probabilities, from one normal distribution of the intensities per class, fitted
        to its seeds.

        Raises
        ------
        UsageError
            If the scene has neither probabilities nor seeds.
        ContentError
            If there are only seeds, and a class has none.
        """
        if self.probability is not None:
            says = np.clip(self.probability, _LEAST, 1).astype(np.float32)
        elif self.seeds is not None:
            says = _from_seeds(self.image, self.within, self.seeds, self.classes)
        else:
            raise UsageError(
                "this member needs probabilities or seeds and was given neither; give the "
                "probabilities of a fitted table member, or mark some voxels"
            )
        if self.seeds is not None:
            for code in range(len(says)):
                own = self.within & (self.seeds == code)
                says[:, own] = _LEAST
                says[code, own] = 1
        says /= says.sum(axis=0)
        return says


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """Segmentation by a region member.

    Parameters
    ----------
    labels
        (*grid): class of each voxel, 0 also outside.
    probabilities
        (classes, *grid), 0 outside; None from members that give labels only (graph cut, level
        set).
    settled
        False where the iteration stopped before it converged.
    """

    labels: NDArray[np.uint8]
    probabilities: Float32 | None
    settled: bool = True


def divided(scene: Scene, probabilities: Float32, *, settled: bool = True) -> Outline:
    """Outline from probabilities: the most probable class of each voxel, seeds unchanged."""
    inside = scene.within
    shares = np.where(inside, probabilities, 0).astype(np.float32)
    labels = np.where(inside, shares.argmax(axis=0), 0).astype(np.uint8)
    return Outline(labels=kept_seeds(scene, labels), probabilities=shares, settled=settled)


def kept_seeds(scene: Scene, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the labels, with the seeds' classes where there are seeds."""
    if scene.seeds is None:
        return labels
    known = scene.within & (scene.seeds >= 0)
    return np.where(known, scene.seeds, labels).astype(np.uint8)


def evenness(shape: tuple[int, ...], spacing_mm: tuple[float, ...]) -> FloatArray:
    """Weight of a neighbour along each axis: area of the shared face, 1 on an isotropic grid.

    So a boundary costs its area in millimetres whatever the shape of the voxels. Axes of one
    voxel have no neighbours and do not count.
    """
    inverse = 1 / np.asarray(spacing_mm)
    long = np.asarray(shape) > 1
    mean = inverse[long].mean() if long.any() else 1.0
    return np.asarray(np.where(long, inverse / mean, 0.0))


def edges(scene: Scene, *, contrast: float) -> Float32:
    """(axes, *grid): similarity of each voxel to the next along each axis, 0 where there is none.

    exp(-contrast d^2 / (2 mean d^2)), d^2 being the squared difference over all channels and
    the mean that over all pairs; times :func:`evenness`.

    References
    ----------
    Boykov YY, Jolly MP. Interactive graph cuts for optimal boundary and region segmentation of
    objects in N-D images. ICCV 2001;1:105-112. doi:10.1109/ICCV.2001.937505
    """
    image, inside = scene.image, scene.within
    weights = np.zeros((image.ndim - 1, *image.shape[1:]), dtype=np.float32)
    pairs = []
    for axis in range(image.ndim - 1):
        head = [slice(None)] * (image.ndim - 1)
        tail = list(head)
        head[axis], tail[axis] = slice(0, -1), slice(1, None)
        here, there = tuple(head), tuple(tail)
        pairs.append((axis, here, inside[here] & inside[there], there))
    scale = _mean_differences(image, pairs)
    even = evenness(image.shape[1:], scene.spacing_mm)
    for axis, here, both, there in pairs:
        square = np.zeros(both.shape, dtype=np.float32)
        for channel, mean in zip(image, scale, strict=True):
            square += np.where(both, channel[there] - channel[here], 0) ** 2 / np.float32(mean)
        alike = np.exp(-np.float32(contrast / (2 * len(image))) * square)
        weights[axis][here] = np.where(both, even[axis] * alike, 0)
    return weights


def _mean_differences(
    image: Float32, pairs: list[tuple[int, tuple[slice, ...], Bools, tuple[slice, ...]]]
) -> list[float]:
    """Mean squared difference of neighbours, of each channel."""
    means = []
    for channel in image:
        total = sum(
            float(((channel[t] - channel[h])[b].astype(float) ** 2).sum()) for _, h, b, t in pairs
        )
        count = sum(int(b.sum()) for _, _, b, _ in pairs)
        means.append(total / count if total > 0 else 1.0)
    return means


def _from_seeds(image: Float32, inside: Bools, seeds: AnyArray, classes: int) -> Float32:
    """Probability of each class by normal distributions of the intensities at the seeds."""
    x = image[:, inside].T.astype(np.float64)
    known = seeds[inside]
    floor = 1e-3 * np.maximum(x.var(axis=0), 1e-12)
    logs = np.empty((classes, len(x)))
    for code in range(classes):
        own = x[known == code]
        if len(own) == 0:
            raise ContentError(f"seeds: class {code} has none; mark some voxels of each class")
        variance = own.var(axis=0) + floor if len(own) > 1 else x.var(axis=0) / classes + floor
        logs[code] = -(((x - own.mean(axis=0)) ** 2 / variance + np.log(variance)).sum(axis=1)) / 2
    shares = np.exp(logs - logs.max(axis=0))
    says = np.full((classes, *inside.shape), _LEAST, dtype=np.float32)
    says[:, inside] = np.clip(shares / shares.sum(axis=0), _LEAST, 1)
    return says
