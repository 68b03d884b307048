"""MR scanner: samples the head model on an oblique grid and computes signal and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from onkos.core.geometry import FloatArray, Geometry
from onkos.io.export.series import MRAcquisition
from onkos.phantom.shapes import Field, HeadGrid, Weights, cell, corners, sample
from onkos.phantom.signal import FloatImage, null_time_ms, rician, signal
from onkos.phantom.tissue import Tissue, tissues


class Layer(NamedTuple):
    """One layer: where ``depth`` is positive, ``tissue`` replaces the layers below.

    ``fading_mm`` is the width of its boundary where that is wider than a voxel, ``opacity`` the
    fraction of the tissue below that is replaced; both describe infiltration.
    """

    depth: str
    tissue: str
    fading_mm: float = 0.0
    opacity: float = 1.0


#: Painted in this order. A voxel on a boundary holds both tissues in proportion.
HEAD_LAYERS = (
    Layer("skin", "fat"),
    Layer("muscle", "muscle"),
    Layer("eye", "csf"),
    Layer("sinus", "air"),
    Layer("bone", "bone"),
    Layer("marrow", "fat", opacity=0.7),
    Layer("cavity", "csf"),
    Layer("dura", "dura", opacity=0.6),
    Layer("grey", "grey"),
    Layer("white", "white"),
    Layer("nuclei", "nuclei", fading_mm=2.0),
    Layer("hyperintensities", "gliosis", fading_mm=2.5),
    Layer("ventricles", "csf"),
    Layer("choroid", "choroid"),
    Layer("vessels", "blood"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pose:
    """Position of the head in the scanner: LPS mm = rotation @ head mm + shift."""

    rotation: FloatArray
    shift_mm: FloatArray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Pose:
        """Draw a position: a few degrees, a few centimetres."""
        return cls(
            rotation=rotation(np.radians(rng.normal(0.0, 4.0, size=3))),
            shift_mm=rng.normal(0.0, 20.0, size=3),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """Signal before coil sensitivity and noise.

    ``signals`` has the shape (roles, k, j, i), ``owner`` (k, j, i): the layer that fills
    most of the voxel, counted from 1; 0 is air.
    """

    signals: FloatImage
    owner: NDArray[np.uint8]


def rotation(angles: FloatArray) -> FloatArray:
    """Rotation about the three axes in turn, by angles in radians."""
    turned = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        about = np.eye(3)
        about[a, a] = about[b, b] = np.cos(angle)
        about[b, a], about[a, b] = np.sin(angle), -np.sin(angle)
        turned = about @ turned
    return turned


def protocol(field_t: float) -> dict[str, MRAcquisition]:
    """Acquisitions of a glioma protocol by role; FLAIR nulls cerebrospinal fluid."""
    fluid = tissues(field_t)["csf"]
    null_ms = round(null_time_ms(fluid.t1_ms, repetition_ms=9000), 1)
    t1 = MRAcquisition(
        sequence="SE",
        repetition_ms=650,
        echo_ms=10,
        field_t=field_t,
        description="T1 phantom",
        body_part="HEAD",
    )
    t1c = replace(t1, contrast_agent="gadopentetate (phantom)", description="T1c phantom")
    t2 = replace(t1, repetition_ms=5000, echo_ms=95, description="T2 phantom")
    flair = replace(
        t1,
        sequence="IR",
        repetition_ms=9000,
        echo_ms=110,
        inversion_ms=null_ms,
        description="FLAIR phantom",
    )
    return {"t1": t1, "t1c": t1c, "t2": t2, "flair": flair}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subject:
    """The subject in the scanner.

    Parameters
    ----------
    grid, depths
        The head in its own coordinates: depth in mm inside each structure.
    layers
        Layers from bottom to top.
    tissues
        Tissue of each layer.
    texture
        Relative standard deviation of the proton density inside a tissue.
    """

    grid: HeadGrid
    depths: Mapping[str, Field]
    layers: tuple[Layer, ...]
    tissues: Mapping[str, Tissue]
    texture: float


def scan(
    subject: Subject,
    geometry: Geometry,
    *,
    pose: Pose,
    acquisitions: Mapping[str, MRAcquisition],
) -> Scan:
    """Sample a head on the scanner's grid and compute the signal of each voxel.

    The boundary of every structure is one voxel wide: a voxel holds two tissues in the proportion
    in which a plane at that depth would cut it, and their signals add (partial volume).
    """
    grid, layers = subject.grid, subject.layers
    colours = [
        [signal(subject.tissues[layer.tissue], made) for made in acquisitions.values()]
        for layer in layers
    ]
    voxel_mm = float(np.cbrt(np.prod(geometry.spacing_mm)))
    edges = [[max(voxel_mm, layer.fading_mm), layer.opacity] for layer in layers]
    stack = np.empty((*grid.shape, len(layers) + 1), dtype=np.float32)
    for n, layer in enumerate(layers):
        stack[..., n] = subject.depths[layer.depth]
    stack[..., -1] = subject.depths["texture"]
    to_grid = pose.rotation.T / grid.step_mm
    start = to_grid @ (geometry.origin_mm - pose.shift_mm) - np.array(grid.low_mm) / grid.step_mm
    signals = np.zeros((len(acquisitions), *geometry.shape[::-1]), dtype=np.float32)
    owner = np.zeros(geometry.shape[::-1], dtype=np.uint8)
    frame = start.astype(np.float32), (to_grid @ geometry.axes_mm).astype(np.float32)
    paints = np.array(edges, dtype=np.float32), np.array(colours, dtype=np.float32)
    _paint(stack, frame, paints, np.float32(subject.texture), (signals, owner))
    return Scan(signals=signals, owner=owner)


@njit(parallel=True, cache=True, fastmath=True)
def _paint(
    stack: Field,
    frame: tuple[Field, Field],
    paints: tuple[Field, Field],
    texture: np.float32,
    out: tuple[Field, NDArray[np.uint8]],
) -> None:
    """Locate the centre of each voxel in the stack of depths, and compute its signal."""
    start, steps = frame
    signals, owner = out
    nx, ny, nz, _ = stack.shape
    for k in prange(owner.shape[0]):
        colour = np.empty(signals.shape[0], np.float32)
        for j in range(owner.shape[1]):
            for i in range(owner.shape[2]):
                x = start[0] + steps[0, 0] * i + steps[0, 1] * j + steps[0, 2] * k
                y = start[1] + steps[1, 0] * i + steps[1, 1] * j + steps[1, 2] * k
                z = start[2] + steps[2, 0] * i + steps[2, 1] * j + steps[2, 2] * k
                if not (0 <= x < nx - 1 and 0 <= y < ny - 1):
                    continue
                z = min(max(z, np.float32(0)), np.float32(nz - 1.001))  # neck beyond the grid
                top = _paint_voxel(stack, cell(x, y, z), corners(x, y, z), paints, colour)
                if top >= 0:
                    grain = sample(stack, cell(x, y, z), corners(x, y, z), stack.shape[3] - 1)
                    density = max(1 + texture * grain, 0)
                    for r in range(len(colour)):
                        signals[r, k, j, i] = abs(density * colour[r])
                    owner[k, j, i] = top


@njit(inline="always")
def _paint_voxel(
    stack: Field,
    low: tuple[int, int, int],
    weights: Weights,
    paints: tuple[Field, Field],
    colour: Field,
) -> int:
    """Paint one voxel; return the layer that fills it from 1 on, 0 if none, -1 in air."""
    edges, colours = paints
    colour[:] = 0
    top = 0
    for n in range(len(edges)):
        share = min(0.5 + sample(stack, low, weights, n) / edges[n, 0], 1.0)
        if share <= 0:
            if n == 0:
                return -1  # everything else lies inside the skin
            continue
        if share >= 0.5:
            top = n + 1
        for r in range(len(colour)):
            colour[r] += share * edges[n, 1] * (colours[n, r] - colour[r])
    return top


def coil(shape: tuple[int, ...], *, strength: float, rng: np.random.Generator) -> FloatImage:
    """Smooth receive-coil sensitivity (bias field) over an array (k, j, i), mean 1.

    The sum of two products of smooth curves along each axis, so that it is not separable;
    ``strength`` is approximately its relative standard deviation.
    """
    total = np.zeros(shape, dtype=np.float32)
    for _ in range(2):
        curves = []
        for side in shape:
            t = np.linspace(-1.0, 1.0, side)
            wave = np.cos(np.pi * (rng.uniform(0.3, 0.9) * t + rng.uniform(0, 2)))
            tilt = rng.normal(0.0, 0.5) * t
            curves.append(np.exp(strength * 0.8 * (wave + tilt)).astype(np.float32))
        total += (curves[0][:, None] * curves[1])[:, :, None] * curves[2]
    total /= np.float32(total.mean())
    return total


def receive(
    image: FloatImage, *, sigma: float, bias: float, white: float, rng: np.random.Generator
) -> FloatImage:
    """Apply coil sensitivity, Rician noise and the scanner's scale: integers from 0 to 4095.

    Parameters
    ----------
    image
        Signal, (k, j, i); overwritten.
    sigma
        Standard deviation of the noise in each channel, in units of the signal.
    bias
        Strength of the bias field.
    white
        Signal of white matter, which sets the scale; the scale differs from scan to scan.
    """
    image *= coil(image.shape, strength=bias, rng=rng)
    noisy = rician(image, sigma=sigma, rng=rng)
    noisy *= np.float32(rng.uniform(500.0, 800.0) / white)
    np.rint(noisy, out=noisy)
    return np.clip(noisy, 0, 4095, out=noisy)
