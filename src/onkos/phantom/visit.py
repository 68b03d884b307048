"""One simulated examination: scan a head with its tumour and keep the ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from onkos.core.geometry import FloatArray, Geometry
from onkos.core.mask import Mask
from onkos.core.source import PHANTOM
from onkos.core.study import Study
from onkos.core.volume import Volume
from onkos.io.export.series import stable_uid
from onkos.phantom.anatomy import Head
from onkos.phantom.glioma import Glioma, volumes_ml
from onkos.phantom.patient import BrainPhantom, PhantomPatient
from onkos.phantom.scanner import (
    HEAD_LAYERS,
    Layer,
    Pose,
    Scan,
    Subject,
    protocol,
    receive,
    rotation,
    scan,
)
from onkos.phantom.signal import FloatImage, signal
from onkos.phantom.tissue import Tissue

#: Labels of the reference outline, and of the detailed one.
TISSUES: Mapping[int, str] = {1: "core", 2: "oedema"}
DETAIL: Mapping[int, str] = {1: "necrosis", 2: "enhancing", 3: "non-enhancing", 4: "oedema"}

_CAVITY = 1 + [layer.depth for layer in HEAD_LAYERS].index("cavity")


def examine(
    visit: Study,
    *,
    settings: BrainPhantom,
    head: Head,
    glioma: Glioma,
    tissues: Mapping[str, Tissue],
    rng: np.random.Generator,
) -> PhantomPatient:
    """Scan a head with its tumour: add the images to the visit and keep the ground truth."""
    grid = settings.head_grid
    depths = head.depths(grid, glioma.mass_effect)
    depths |= glioma.depths(grid, depths)
    pose = Pose.draw(rng)
    geometry = _draw_geometry(settings, pose, rng)
    acquisitions = protocol(settings.field_t)
    subject = Subject(
        grid=grid,
        depths=depths,
        layers=HEAD_LAYERS + _tumour_layers(glioma, rng),
        tissues=tissues,
        texture=settings.texture,
    )
    seen = scan(subject, geometry, pose=pose, acquisitions=acquisitions)
    whites = {role: abs(signal(tissues["white"], a)) for role, a in acquisitions.items()}
    images = _receive(settings, seen, whites, rng)
    volumes = {
        role: Volume(data=image.T, geometry=geometry, modality="MR", unit="1")
        for role, image in images.items()
    }
    truth, detail = _outlines(seen, geometry)
    uid = stable_uid("phantom", visit.patient.id, visit.description, rng.bytes(16).hex())
    return PhantomPatient(
        study=replace(visit, uid=uid, volumes=volumes, caveats=(PHANTOM,)),
        truth=truth,
        detail=detail,
        volumes_ml=volumes_ml(grid, depths),
        settings=settings,
        acquisitions=acquisitions,
        head=head,
        glioma=glioma,
        tissues=tissues,
        pose=pose,
    )


def _tumour_layers(glioma: Glioma, rng: np.random.Generator) -> tuple[Layer, ...]:
    """Layers of the tumour; opacity (density of infiltration and enhancement) is drawn."""
    return (
        Layer("oedema", "oedema", glioma.fading_mm, float(rng.uniform(0.55, 0.95))),
        Layer("core", "tumour", 2.0, float(rng.uniform(0.8, 1.0))),
        Layer("leaking", "enhancing", 2.5, float(rng.uniform(0.6, 1.0))),
        Layer("necrosis", "necrosis", 2.0, 0.95),
    )


def _draw_geometry(settings: BrainPhantom, pose: Pose, rng: np.random.Generator) -> Geometry:
    """Draw an oblique grid about the head.

    Axes are reversed in pairs, so that the slice order still follows the normal that DICOM
    derives from rows and columns.
    """
    extent = np.array([rng.uniform(*limits) for limits in settings.field_of_view_mm])
    spacing = extent / settings.shape
    turns = ((1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1))
    signs = np.array(turns[int(rng.choice(4, p=(0.55, 0.15, 0.15, 0.15)))], dtype=np.float64)
    tilt = np.radians(rng.normal(0.0, settings.tilt_degrees, size=3))
    directions: FloatArray = rotation(tilt) * signs
    middle = pose.shift_mm + rng.normal(0.0, 2.0, size=3)
    half = (np.array(settings.shape) - 1) / 2
    return Geometry.upright(
        settings.shape,
        spacing_mm=spacing.tolist(),
        origin_mm=(middle - directions @ (spacing * half)).tolist(),
        directions=directions,
    )


def _receive(
    settings: BrainPhantom, seen: Scan, whites: Mapping[str, float], rng: np.random.Generator
) -> dict[str, FloatImage]:
    """Images by role, as stored by the scanner."""
    snr = rng.uniform(*settings.snr)
    images = {}
    for image, (role, white) in zip(seen.signals, whites.items(), strict=True):
        images[role] = receive(image, sigma=white / snr, bias=settings.bias, white=white, rng=rng)
        if settings.skull_stripped:
            images[role][seen.owner < _CAVITY] = 0
    return images


def _outlines(seen: Scan, geometry: Geometry) -> tuple[Mask, Mask]:
    """Reference outlines: each voxel belongs to the topmost tissue that fills at least half."""
    oedema = len(HEAD_LAYERS) + 1
    tumour, enhancing, necrosis = oedema + 1, oedema + 2, oedema + 3
    detailed = np.zeros(necrosis + 1, dtype=np.uint8)
    detailed[[necrosis, enhancing, tumour, oedema]] = (1, 2, 3, 4)
    coarse = np.zeros(necrosis + 1, dtype=np.uint8)
    coarse[[necrosis, enhancing, tumour]] = 1
    coarse[oedema] = 2
    owner = seen.owner.T
    return (
        Mask(labels=coarse[owner], geometry=geometry, names=TISSUES, caveats=(PHANTOM,)),
        Mask(labels=detailed[owner], geometry=geometry, names=DETAIL, caveats=(PHANTOM,)),
    )
