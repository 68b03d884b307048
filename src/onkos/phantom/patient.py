"""Settings of a simulation, and the patient that comes of it."""

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
    """How patients are simulated.

    Parameters
    ----------
    shape
        Voxels along each axis.
    field_of_view_mm
        For each axis the range that the extent of a patient's grid is drawn from; its spacing
        follows from it. The default holds a whole head.
    tilt_degrees
        Standard deviation of the grid's obliquity about each axis.
    field_t
        Field strength, 1.5 or 3.0 T.
    snr
        Range of a patient's ratio of white-matter signal to noise.
    bias
        About the relative standard deviation of the receive coil's sensitivity.
    texture
        Relative standard deviation of proton density inside a tissue.
    skull_stripped
        Whether everything outside the brain's cavity is set to zero.
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
        """Grid that the head is modelled on, about as fine as the voxels, from 1.5 to 2.5 mm."""
        voxel_mm3 = math.prod(
            sum(extent) / 2 / side
            for extent, side in zip(self.field_of_view_mm, self.shape, strict=True)
        )
        step_mm = min(max(math.cbrt(voxel_mm3), 1.5), 2.5)
        return HeadGrid.between(LOW_MM, HIGH_MM, step_mm=step_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomPatient:
    """A simulated patient and everything that is true of it.

    Parameters
    ----------
    study
        Images in the roles t1, t1c, t2, flair, on one grid.
    truth, detail
        Reference outline: core and oedema; the same with the core's parts told apart.
    volumes_ml
        Volume of core, oedema and necrosis in the head itself, which no grid has rounded.
    settings, acquisitions
        How the images were made; acquisitions by role, as the DICOM writer takes them.
    head, glioma, tissues, pose
        The anatomy, the tumour, its relaxation times, and how the head lay in the scanner.
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
        """Role to DICOM keywords of how it was acquired, for ``io.export.series.write_study``."""
        return {role: made.attributes for role, made in self.acquisitions.items()}
