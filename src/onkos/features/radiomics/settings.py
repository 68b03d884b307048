"""How features are computed: image processing and aggregation, as one value with a hash."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from onkos.core.errors import UsageError
from onkos.features.radiomics.catalogue import AGGREGATIONS, FAMILIES

_WORDS = {
    "interpolation": ("nearest", "linear", "cubic"),
    "mask_interpolation": ("nearest", "linear"),
    "discretisation": ("number", "width"),
    "first_bin": ("low", "multiple"),
    "ivh_discretisation": ("none", "number", "width"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices that change the value of a feature; the defaults are stated, never hidden.

    Parameters
    ----------
    spacing_mm
        Voxels to interpolate to: three sides for all axes, two for each slice by itself, None
        to leave the image as it is.
    interpolation, mask_interpolation
        ``nearest``, ``linear`` or ``cubic`` (spline) for intensities; a region keeps the voxels
        that ``mask_threshold`` or more of it covers.
    round_to_integer
        Round interpolated intensities, as IBSI asks for Hounsfield units.
    low, high
        Range of intensities that are kept (re-segmentation); None leaves a side open.
    outlier_sigma
        Keep intensities within this many standard deviations of the mean; None keeps all.
    discretisation, bins
        ``number``: fixed bin number (FBN), ``bins`` of them between least and greatest
        intensity. ``width``: fixed bin size (FBS) of ``bins``.
    first_bin
        Where bins of fixed width begin: at ``low`` (the lower end of the range, else the least
        intensity: IBSI) or at a ``multiple`` of the width (PyRadiomics).
    ivh_discretisation, ivh_bins
        The same for the intensity-volume histogram; ``none`` takes intensities as they are, in
        steps of ``ivh_bins``.
    dependence
        Greatest difference of levels that counts as dependent (NGLDM's alpha).
    families
        Feature families by their tags' first part; see :data:`catalogue.FAMILIES`.
    aggregations
        Of ``2D_avg``, ``2D_comb``, ``2_5D_avg``, ``2_5D_comb``, ``3D_avg``, ``3D_comb``.

    Raises
    ------
    UsageError
        If a value is not among the known ones or contradicts another.

    References
    ----------
    Zwanenburg A et al. The Image Biomarker Standardization Initiative. Radiology 2020;295:
    328-338. doi:10.1148/radiol.2020191145; reference manual arXiv:1612.07003.
    """

    spacing_mm: tuple[float, ...] | None = None
    interpolation: str = "linear"
    mask_interpolation: str = "linear"
    mask_threshold: float = 0.5
    round_to_integer: bool = False
    low: float | None = None
    high: float | None = None
    outlier_sigma: float | None = None
    discretisation: str = "number"
    bins: float = 32.0
    first_bin: str = "low"
    ivh_discretisation: str = "none"
    ivh_bins: float = 1.0
    dependence: int = 0
    families: tuple[str, ...] = tuple(FAMILIES)
    aggregations: tuple[str, ...] = ("3D_comb",)

    def __post_init__(self) -> None:
        for name, known in _WORDS.items():
            _require_known(name, [getattr(self, name)], known)
        _require_known("families", self.families, tuple(FAMILIES))
        _require_known("aggregations", self.aggregations, tuple(AGGREGATIONS))
        if self.spacing_mm is not None:
            sides = tuple(float(side) for side in self.spacing_mm)
            object.__setattr__(self, "spacing_mm", sides)
            if len(sides) not in (2, 3) or not all(0 < side < math.inf for side in sides):
                raise UsageError(f"spacing_mm {sides}: expected two or three lengths above 0")
        self._require_numbers()

    def _require_numbers(self) -> None:
        bins, low, high = self.bins, self.low, self.high
        whole = self.discretisation == "width" or float(bins).is_integer()
        if not (0 < bins < math.inf and whole):
            raise UsageError(f"bins {bins}: expected a whole number of bins, or a width above 0")
        if not 0 < self.ivh_bins < math.inf:
            raise UsageError(f"ivh_bins {self.ivh_bins}: expected a number above 0")
        if low is not None and high is not None and not low < high:
            raise UsageError(f"range from {low} to {high}: expected low below high")
        if self.outlier_sigma is not None and not self.outlier_sigma > 0:
            raise UsageError(f"outlier_sigma {self.outlier_sigma}: expected a number above 0")
        if not 0 < self.mask_threshold <= 1:
            raise UsageError(f"mask_threshold {self.mask_threshold}: expected above 0, at most 1")
        if self.dependence < 0:
            raise UsageError(f"dependence {self.dependence}: expected 0 or more levels")

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Settings:
        """Build settings from a table of JSON or TOML; what is left out keeps its default.

        Raises
        ------
        UsageError
            If a key is unknown (the message names the known ones) or a value is of a wrong kind.
        """
        known = tuple(field.name for field in fields(cls))
        _require_known("settings", plain, known)
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        for key, value in given.items():
            _require_kind(key, value)
        return cls(**given)

    def to_plain(self) -> dict[str, Any]:
        """All settings as a dict of lists, words and numbers; what is None is left out."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                plain[field.name] = list(value) if isinstance(value, tuple) else value
        return plain

    @property
    def hash(self) -> str:
        """SHA-256 of the settings; equal settings have equal hashes whatever their order."""
        text = json.dumps(_as_numbers(self.to_plain()), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _require_known(name: str, given: Any, known: tuple[str, ...]) -> None:
    unknown = [value for value in given if value not in known]
    if unknown:
        raise UsageError(f"{name}: unknown {unknown}; known are {', '.join(known)}")


def _require_kind(key: str, value: Any) -> None:
    default = Settings.__dataclass_fields__[key].default
    if key == "spacing_mm" or isinstance(default, tuple):
        inner = str if isinstance(default, tuple) else int | float
        right = isinstance(value, tuple) and all(isinstance(item, inner) for item in value)
    elif isinstance(default, bool):
        right = isinstance(value, bool)
    elif isinstance(default, str):
        right = isinstance(value, str)
    else:
        whole_only = isinstance(default, int)
        kind = int if whole_only else int | float
        right = isinstance(value, kind) and not isinstance(value, bool)
    if not right:
        raise UsageError(f"{key} = {value!r}: of the wrong kind; its default is {default!r}")


def _as_numbers(plain: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers as floats, so that 32 and 32.0 are one setting."""
    return {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in plain.items()
    }
