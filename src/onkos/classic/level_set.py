"""Level set segmentation: region competition after Chan and Vese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import edt
import numpy as np
from numba import njit

from onkos.classic.learning import Bools
from onkos.classic.scene import Float32, Outline, Scene, kept_seeds
from onkos.core.geometry import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSet:
    """Region competition by a level set, after Chan and Vese.

    The surface is initialised where the class is the most probable. It moves outwards where
    the given probability and the normal distributions of the intensities inside and outside
    (refitted as it moves) favour the class, inwards elsewhere, and is smoothed by its curvature
    in millimetres. With more than two classes there is one surface per class against the rest;
    a voxel inside several belongs to the class in which it lies deepest.

    Parameters
    ----------
    smoothing_mm
        Weight of the curvature: structures of about this radius are smoothed away.
    look
        Weight of the intensities relative to that of the probability.
    steps
        Number of steps, each at most 0.4 of the finest spacing.

    References
    ----------
    Chan TF, Vese LA. Active contours without edges. IEEE Trans Image Process 2001;10:266-277.
    doi:10.1109/83.902291
    Osher S, Sethian JA. Fronts propagating with curvature-dependent speed. J Comput Phys
    1988;79:12-49. doi:10.1016/0021-9991(88)90002-2
    """

    smoothing_mm: float = 0.5
    look: float = 0.3
    steps: int = 40

    def solve(self, scene: Scene, *, rng: np.random.Generator) -> Outline:
        """Segment the scene."""
        says = scene.evidence()
        if len(says) == 2:
            depth = self._moved(scene, says[1])
            labels = np.where(depth > 0, 1, 0)
        else:
            depths = np.stack([self._moved(scene, own) for own in says])
            labels = depths.argmax(axis=0)
        labels = np.where(scene.within, labels, 0).astype(np.uint8)
        return Outline(labels=kept_seeds(scene, labels), probabilities=None)

    def _moved(self, scene: Scene, says: Float32) -> FloatArray:
        """Depth in millimetres inside one class's surface, negative outside."""
        inside = scene.within
        spacing = np.array(scene.spacing_mm, dtype=np.float64)
        spacing[np.array(inside.shape) == 1] = np.inf  # nothing changes along such an axis
        given = np.where(inside, np.log(says / np.maximum(1 - says, 1e-6)), -14.0)
        finest = float(spacing.min()) if np.isfinite(spacing).any() else 1.0
        rate = min(0.4 * finest, 0.15 * finest**2 / max(self.smoothing_mm, 1e-6))
        band = 4 * float(np.max(spacing[np.isfinite(spacing)], initial=finest))
        depth = np.clip(signed_depth(inside & (says > 0.5), scene.spacing_mm), -band, band)
        new = np.empty_like(depth)
        for step in range(self.steps):
            if step % 5 == 0:
                part = inside & (depth > 0)
                if not part.any() or not (inside & ~part).any():
                    break
                force = np.tanh((given + self.look * self._look(scene, part)) / 2)
                for _ in range(3):
                    _even_out(depth, spacing, (0.4 * finest, band), new)
                    depth, new = new, depth
            _advance(depth, force, spacing, (rate, self.smoothing_mm, band), new)
            depth, new = new, depth
        return depth

    def _look(self, scene: Scene, part: Bools) -> FloatArray:
        """Log likelihood ratio of the intensities, inside the surface against outside."""
        inside = scene.within
        ratio = np.zeros(inside.shape)
        for channel in scene.image:
            own, other = channel[part], channel[inside & ~part]
            floor = 1e-3 * max(float(channel[inside].var()), 1e-12)
            for values, sign in ((own, 1), (other, -1)):
                variance = float(values.var()) + floor
                square = (channel - float(values.mean())) ** 2 / variance
                ratio -= sign * (square + np.log(variance)) / 2
        return np.clip(ratio / len(scene.image), -10, 10)


def signed_depth(part: Bools, spacing_mm: tuple[float, ...]) -> FloatArray:
    """Millimetres to the surface midway between voxels: positive inside, negative outside."""
    if not part.any() or part.all():
        return np.full(part.shape, np.inf if part.any() else -np.inf)
    half = min(s for s, side in zip(spacing_mm, part.shape, strict=True) if side > 1) / 2
    within = edt.edt(np.ascontiguousarray(part), anisotropy=spacing_mm, black_border=False)
    without = edt.edt(np.ascontiguousarray(~part), anisotropy=spacing_mm, black_border=False)
    depth: FloatArray = np.where(part, within - half, half - without).astype(np.float64)
    return depth


@njit(cache=True, nogil=True)
def _advance(depth: Any, force: Any, spacing: Any, how: Any, out: Any) -> None:  # pragma: no cover
    """One step: upwind differences for the force, central differences for the curvature."""
    rate, smoothing, band = how
    sides = depth.shape
    first = np.empty(3)
    second = np.empty(3)
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                own = depth[i, j, k]
                out[i, j, k] = own
                if abs(own) >= band:
                    continue
                upwind = 0.0
                for axis in range(3):
                    low, high = _beside(depth, i, j, k, axis)
                    before = (own - low) / spacing[axis]
                    after = (high - own) / spacing[axis]
                    first[axis] = (before + after) / 2
                    second[axis] = (after - before) / spacing[axis]
                    if force[i, j, k] > 0:  # depth grows: information comes from the inside
                        upwind += max(-before, 0.0) ** 2 + max(after, 0.0) ** 2
                    else:
                        upwind += max(before, 0.0) ** 2 + max(-after, 0.0) ** 2
                bend = _bend(depth, first, second, spacing, (i, j, k))
                speed = force[i, j, k] * np.sqrt(upwind) + smoothing * bend
                move = rate * speed
                out[i, j, k] = max(-band, min(band, own + max(-rate, min(rate, move))))


@njit(cache=True, nogil=True)
def _even_out(depth: Any, spacing: Any, how: Any, out: Any) -> None:  # pragma: no cover
    """Bring the slope back to one without moving the surface (Sussman), within the band."""
    rate, band = how
    sides = depth.shape
    for i in range(sides[0]):
        for j in range(sides[1]):
            for k in range(sides[2]):
                own = depth[i, j, k]
                steep, idle = 0.0, abs(own) >= band
                for axis in range(3):
                    low, high = _beside(depth, i, j, k, axis)
                    idle = idle and abs(low) >= band and abs(high) >= band
                    before, after = (own - low) / spacing[axis], (high - own) / spacing[axis]
                    if own < 0:
                        before, after = -before, -after
                    steep += max(max(before, 0.0) ** 2, min(after, 0.0) ** 2)
                sign = own / np.sqrt(own * own + rate * rate)
                new = own if idle else own + rate * sign * (1 - np.sqrt(steep))
                out[i, j, k] = max(-band, min(band, new))


@njit(cache=True, nogil=True, inline="always")
def _beside(depth: Any, i: int, j: int, k: int, axis: int) -> Any:  # pragma: no cover
    """Values before and after along an axis; beyond the border the border's own."""
    if axis == 0:
        return depth[max(i - 1, 0), j, k], depth[min(i + 1, depth.shape[0] - 1), j, k]
    if axis == 1:
        return depth[i, max(j - 1, 0), k], depth[i, min(j + 1, depth.shape[1] - 1), k]
    return depth[i, j, max(k - 1, 0)], depth[i, j, min(k + 1, depth.shape[2] - 1)]


@njit(cache=True, nogil=True)
def _bend(depth: Any, first: Any, second: Any, spacing: Any, at: Any) -> Any:  # pragma: no cover
    """Mean curvature times the slope: the second derivatives within the surface."""
    steep = first[0] ** 2 + first[1] ** 2 + first[2] ** 2 + 1e-12
    total = 0.0
    for axis in range(3):
        total += second[axis] * (steep - first[axis] ** 2)
    i, j, k = at
    for a in range(2):
        for b in range(a + 1, 3):
            if np.isinf(spacing[a]) or np.isinf(spacing[b]):
                continue
            mixed = 0.0
            for one in range(2):
                for two in range(2):
                    x, y, z = i, j, k
                    ahead, along = 1 - 2 * one, 1 - 2 * two
                    if a == 0:
                        x = min(max(x + ahead, 0), depth.shape[0] - 1)
                    else:
                        y = min(max(y + ahead, 0), depth.shape[1] - 1)
                    if b == 1:
                        y = min(max(y + along, 0), depth.shape[1] - 1)
                    else:
                        z = min(max(z + along, 0), depth.shape[2] - 1)
                    mixed += ahead * along * depth[x, y, z]
            mixed /= 4 * spacing[a] * spacing[b]
            total -= 2 * first[a] * first[b] * mixed
    return total / steep
