"""How features are computed: image processing and aggregation, as one value with a hash."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from onkos.core.errors import UsageError
from onkos.features.radiomics.catalogue import AGGREGATIONS, FAMILIES, tags
from onkos.features.radiomics.filtered import Filtering
from onkos.features.radiomics.kinds import require_kind
from onkos.features.radiomics.normalisation import Normalisation

_WORDS = {
    "interpolation": ("nearest", "linear", "cubic"),
    "mask_interpolation": ("nearest", "linear"),
    "alignment": ("centre", "corner"),
    "discretisation": ("number", "width"),
    "first_bin": ("low", "multiple"),
    "ivh_discretisation": ("none", "number", "width"),
}
#: Added later: left out of the plain form at their default, so that earlier hashes stay valid.
_LATER = ("alignment", "keep_type", "features", "normalisation", "original", "filters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the extraction: everything that changes the value of a feature.

    Parameters
    ----------
    spacing_mm
        Voxel size to interpolate to: three sides for all axes, two for in-plane interpolation,
        None for no interpolation.
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
        Start of bins of fixed width: at ``low`` (the lower end of the range, else the minimum
        intensity: IBSI) or at a ``multiple`` of the width (PyRadiomics).
    ivh_discretisation, ivh_bins
        The same for the intensity-volume histogram; ``none`` uses intensities as they are, in
        steps of ``ivh_bins``.
    dependence
        Largest difference of levels that counts as dependent (NGLDM's alpha).
    families
        Feature families by their tags' first part; see :data:`catalogue.FAMILIES`.
    aggregations
        Of ``2D_avg``, ``2D_comb``, ``2_5D_avg``, ``2_5D_comb``, ``3D_avg``, ``3D_comb``.
    alignment
        Alignment of the grids before and after interpolation: at the ``centre`` (IBSI) or at
        the first ``corner`` (PyRadiomics).
    keep_type
        Truncate interpolated intensities of an integer image to integers, as ITK and PyRadiomics
        do.
    features
        Tags of the features to keep, e.g. ``cm_contrast_3D_comb``; all of the families if none
        is named.
    normalisation
        Intensity normalisation before interpolation; None for none.
    original
        Whether features are computed from the unfiltered image; without it only its shape is.
    filters
        Filters from whose responses features are computed. The image is interpolated, then
        filtered; re-segmentation uses the *original* intensities; the response has its own
        bins. Shape is described once, of the original. The intensity-volume
        histogram of a response has 1,000 bins, as IBSI asks where units are arbitrary.

    Raises
    ------
    UsageError
        If a value is unknown or contradicts another.

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
    alignment: str = "centre"
    keep_type: bool = False
    features: tuple[str, ...] = ()
    normalisation: Normalisation | None = None
    original: bool = True
    filters: tuple[Filtering, ...] = ()

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
        self._require_columns()

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
        if self.round_to_integer and self.keep_type:
            raise UsageError("round_to_integer and keep_type: expected at most one of them")
        if self.dependence < 0:
            raise UsageError(f"dependence {self.dependence}: expected 0 or more levels")

    def _require_columns(self) -> None:
        """Require known features, unique filter names, and something to extract."""
        if self.features:
            _require_known("features", self.features, tags(self.families, self.aggregations))
        names = [filtering.id for filtering in self.filters]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"filters {twice} more than once; give each filter its own name")
        if not (self.original or self.filters or "morph" in self.families):
            raise UsageError("original = false without filters or shape: nothing to extract")

    def of_original(self) -> Settings:
        """Settings of the features of the unfiltered image."""
        if self.original and not self.filters:
            return self
        asked = self.families if self.original else ("morph",)
        return replace(self, **self._kept(asked), original=True, filters=())

    def of_response(self, filtering: Filtering) -> Settings:
        """Settings of the features of a filter's response, which is already re-segmented."""
        return replace(
            self,
            **self._kept(tuple(family for family in self.families if family != "morph")),
            normalisation=None,
            low=None,
            high=None,
            outlier_sigma=None,
            discretisation=filtering.discretisation,
            bins=filtering.bins,
            ivh_discretisation="number",
            ivh_bins=1000.0,
            original=True,
            filters=(),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Tags of the features of one image, in the order of the IBSI reference."""
        every = tags(self.families, self.aggregations)
        return every if not self.features else tuple(n for n in every if n in self.features)

    def _kept(self, asked: tuple[str, ...]) -> dict[str, Any]:
        """The requested families and features among ``asked``."""
        features = tuple(name for name in self.features if name.split("_", 1)[0] in asked)
        wanted = {name.split("_", 1)[0] for name in features} if self.features else set(asked)
        families = tuple(name for name in self.families if name in asked and name in wanted)
        return {"families": families, "features": features}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Settings:
        """Build settings from a table of JSON or TOML; what is left out keeps its default.

        Raises
        ------
        UsageError
            If a key is unknown (the message names the known ones) or a value has a wrong type.
        """
        known = tuple(field.name for field in fields(cls))
        _require_known("settings", plain, known)
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        if "normalisation" in given:
            given["normalisation"] = Normalisation.from_plain(given["normalisation"])
        if "filters" in given:
            tables = given["filters"]
            if not isinstance(tables, tuple) or not all(isinstance(t, Mapping) for t in tables):
                raise UsageError(f"filters = {tables!r}: expected a list of tables")
            given["filters"] = tuple(Filtering.from_plain(one) for one in given["filters"])
        for key, value in given.items():
            require_kind(cls, key, value)
        return cls(**given)

    def to_plain(self) -> dict[str, Any]:
        """All settings as a dict of lists, words and numbers; what is None is left out."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None or (field.name in _LATER and value == field.default):
                continue
            if isinstance(value, Normalisation):
                value = value.to_plain()
            elif field.name == "filters":
                value = [filtering.to_plain() for filtering in value]
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


def _as_numbers(plain: Any) -> Any:
    """Whole numbers as floats, so that 32 and 32.0 are one setting."""
    if isinstance(plain, dict):
        return {key: _as_numbers(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_as_numbers(value) for value in plain]
    return float(plain) if isinstance(plain, int) and not isinstance(plain, bool) else plain
