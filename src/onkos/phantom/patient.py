"""Settings of a simulation, and the simulated patient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from onkos.core.errors import UsageError
from onkos.core.mask import Mask
from onkos.core.study import Study
from onkos.io.export.series import MRAcquisition
from onkos.phantom.anatomy import HIGH_MM, LOW_MM, Head
from onkos.phantom.glioma import Glioma
from onkos.phantom.scanner import Pose
from onkos.phantom.shapes import HeadGrid
from onkos.phantom.tissue import Tissue, tissues

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainPhantom:
    """Settings of the simulation.

    Parameters
    ----------
    shape
        Voxels along each axis.
    field_of_view_mm
        Range of the extent along each axis, from which a patient's is drawn; the spacing
        follows. The default covers a whole head.
    tilt_degrees
        Standard deviation of the grid's obliquity about each axis.
    field_t
        Field strength, 1.5 or 3.0 T.
    snr
        Range of a patient's ratio of white-matter signal to noise.
    bias
        Approximate relative standard deviation of the receive coil's sensitivity.
    texture
        Relative standard deviation of proton density inside a tissue.
    skull_stripped
        Whether everything outside the cranial cavity is set to zero.
    """

    shape: tuple[int, int, int] = (240, 240, 155)
    field_of_view_mm: tuple[Range, Range, Range] = ((222.0, 240.0), (235.0, 254.0), (172.0, 192.0))
    tilt_degrees: float = 6.0
    field_t: float = 3.0
    snr: Range = (18.0, 30.0)
    bias: float = 0.12
    texture: float = 0.03
    skull_stripped: bool = False

    def __post_init__(self) -> None:
        smallest_mm = min(low for low, _ in self.field_of_view_mm)
        if min(self.shape) < 8 or smallest_mm <= 0 or min(self.snr) <= 0:
            raise UsageError(
                f"phantom of shape {self.shape}, field of view {self.field_of_view_mm} mm, "
                f"snr {self.snr}: expected at least 8 voxels a side, and both others above 0"
            )
        if min(self.bias, self.texture, self.tilt_degrees) < 0:
            raise UsageError("bias, texture and tilt_degrees of a phantom cannot be negative")
        tissues(self.field_t)

    @classmethod
    def small(cls) -> Self:
        """Whole heads on 96 x 96 x 60 voxels, for demonstrations and tests."""
        return cls(shape=(96, 96, 60))

    @property
    def head_grid(self) -> HeadGrid:
        """Grid of the head model, about as fine as the voxels, 1.5 to 2.5 mm."""
        voxel_mm3 = math.prod(
            sum(extent) / 2 / side
            for extent, side in zip(self.field_of_view_mm, self.shape, strict=True)
        )
        step_mm = min(max(math.cbrt(voxel_mm3), 1.5), 2.5)
        return HeadGrid.between(LOW_MM, HIGH_MM, step_mm=step_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomPatient:
    """A simulated patient with its ground truth.

    Parameters
    ----------
    study
        Images in the roles t1, t1c, t2, flair, on one grid.
    truth, detail
        Reference outline of core and oedema; the same with the parts of the core separately.
    volumes_ml
        True volume of core, oedema and necrosis, on the head grid.
    settings, acquisitions
        Simulation settings, and acquisitions by role, as the DICOM writer takes them.
    head, glioma, tissues, pose
        The anatomy, the tumour, the relaxation times, and the position in the scanner.
    """

    study: Study
    truth: Mask
    detail: Mask
    volumes_ml: Mapping[str, float]
    settings: BrainPhantom
    acquisitions: Mapping[str, MRAcquisition]
    head: Head
    glioma: Glioma
    tissues: Mapping[str, Tissue]
    pose: Pose

    @property
    def attributes(self) -> dict[str, dict[str, Any]]:
        """DICOM attributes by role, as ``io.export.series.write_study`` takes them."""
        return {role: made.attributes for role, made in self.acquisitions.items()}
