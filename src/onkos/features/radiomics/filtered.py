"""A filter in the settings of an extraction: its parameters, binning, name and support."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import pywt

from onkos.core.errors import UsageError
from onkos.features.filters import (
    Boundary,
    Filter,
    Gabor,
    LaplacianOfGaussian,
    Laws,
    Mean,
    Riesz,
    Simoncelli,
    Wavelet,
)
from onkos.features.filters.gabor import CUTOFF
from onkos.features.radiomics.catalogue import FAMILIES
from onkos.features.radiomics.kinds import require_kind

KINDS: dict[str, type[Filter]] = {
    "mean": Mean,
    "log": LaplacianOfGaussian,
    "laws": Laws,
    "gabor": Gabor,
    "wavelet": Wavelet,
    "simoncelli": Simoncelli,
    "riesz": Riesz,
}
DISCRETISATIONS = ("number", "width")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OWN = ("name", "discretisation", "bins", "scale_normalised")
_IN_NAMES = {  # what tells filters of one kind apart, before anything that is not the default
    Mean: ("support",),
    LaplacianOfGaussian: ("sigma_mm",),
    Laws: ("kernels",),
    Gabor: ("sigma_mm", "wavelength_mm"),
    Wavelet: ("family", "band"),
    Simoncelli: ("level",),
    Riesz: ("orders",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtering:
    """One filter of IBSI 2 applied to the image before features are computed, with its own bins.

    Parameters
    ----------
    filter
        The filter with its parameters.
    name
        Begins the columns of its features; made of the filter where empty (:attr:`id`).
    discretisation, bins
        As of :class:`Settings`, for the response alone: a width in Hounsfield units means
        nothing there. The least response begins the first bin, unless ``first_bin`` of the
        settings says ``multiple``.
    scale_normalised
        Multiply a Laplacian of Gaussian by sigma squared over the squared geometric mean of the
        voxels' sides, so that its answers in one unit compare between scales (as ITK does).

    Raises
    ------
    UsageError
        If a value is not among the known ones, or the name could be taken for a feature's.

    References
    ----------
    Whybra P et al. The Image Biomarker Standardization Initiative: standardized convolutional
    filters for reproducible radiomics and enhanced clinical insights. Radiology 2024;310:
    e231319. doi:10.1148/radiol.231319
    """

    filter: Filter
    name: str = ""
    discretisation: str = "number"
    bins: float = 32.0
    scale_normalised: bool = False

    def __post_init__(self) -> None:
        if self.discretisation not in DISCRETISATIONS:
            raise UsageError(
                f"discretisation {self.discretisation!r} of {self.id}: expected number or width"
            )
        whole = self.discretisation == "width" or float(self.bins).is_integer()
        if not (0 < self.bins < math.inf and whole):
            raise UsageError(
                f"bins {self.bins} of {self.id}: expected a whole number, or a width above 0"
            )
        if self.scale_normalised and not isinstance(self.filter, LaplacianOfGaussian):
            raise UsageError(
                f"scale_normalised for {self.id}: only a filter of kind log has a scale"
            )
        if not _NAME.fullmatch(self.id) or self.id.split("_")[0] in FAMILIES:
            raise UsageError(
                f"filter name {self.id!r}: expected letters, digits, dots, dashes and underscores, "
                f"not beginning like a feature ({', '.join(FAMILIES)})"
            )

    @property
    def id(self) -> str:
        """What its columns begin with: the name, else kind and parameters, ``log_1.5mm``."""
        if self.name:
            return self.name
        kind = next(word for word, made in KINDS.items() if made is type(self.filter))
        first = _IN_NAMES[type(self.filter)]
        parts = [kind, *(_told(key, getattr(self.filter, key)) for key in first)]
        options = {k: v for k, v in self._options().items() if k not in first}
        if self.scale_normalised:
            options["scale_normalised"] = True
        parts += [
            key.replace("_", "-")
            if value is True
            else f"{key.replace('_', '-')}-{_told('', value)}"
            for key, value in options.items()
        ]
        return "_".join(parts)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Filtering:
        """Build from a table of TOML or JSON: ``kind``, the filter's parameters, its bins.

        ``boundary`` is a word of :class:`~onkos.features.filters.Boundary`; ``boundary_value``
        goes with ``constant``.

        Raises
        ------
        UsageError
            If kind or key is unknown (the message names the known ones), a parameter is missing
            or a value of a wrong kind.
        """
        given = dict(plain)
        word = given.pop("kind", None)
        if not isinstance(word, str) or word not in KINDS:
            raise UsageError(f"filter {plain!r}: expected kind, one of {', '.join(KINDS)}")
        made = KINDS[word]
        known = {field.name: field for field in fields(made)}
        names = (*known, "boundary_value", *_OWN)
        unknown = [key for key in given if key not in names]
        if unknown:
            raise UsageError(
                f"filter {word}: unknown {unknown}; known are kind, {', '.join(names)}"
            )
        missing = [k for k, f in known.items() if f.default is MISSING and k not in given]
        if missing:
            raise UsageError(
                f"filter {word}: {', '.join(missing)} missing; expected a value for it"
            )
        own = {key: given.pop(key) for key in _OWN if key in given}
        for key, value in own.items():
            require_kind(cls, key, value)
        beyond, value = given.pop("boundary", "mirror"), given.pop("boundary_value", 0.0)
        given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        for key, item in given.items():
            require_kind(made, key, item)
        require_kind(Boundary, "value", value)
        boundary = Boundary(beyond=beyond, value=value)
        return cls(filter=made(**given, boundary=boundary), **own)

    def to_plain(self) -> dict[str, Any]:
        """Kind and whatever is not the default, as words, numbers and lists."""
        kind = next(word for word, made in KINDS.items() if made is type(self.filter))
        needed = {
            f.name: getattr(self.filter, f.name)
            for f in fields(self.filter)
            if f.default is MISSING
        }
        own = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name in _OWN and getattr(self, f.name) != f.default
        }
        given = {"kind": kind, **needed, **self._options(), **own}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}

    def reach(self, spacing_mm: Sequence[float]) -> tuple[int, ...] | None:
        """Voxels along i, j, k that a response depends on; None if on the whole image.

        Simoncelli wavelets and Riesz transforms are shapes in Fourier space and have no end.
        """
        flat, one = (1, 1, 0), self.filter
        if isinstance(one, Mean):
            far = one.support // 2
            return tuple(far * n for n in (flat if one.slicewise else (1, 1, 1)))
        if isinstance(one, LaplacianOfGaussian):
            far_mm = [math.floor(one.cutoff * one.sigma_mm / mm + 0.5) for mm in spacing_mm]
            return tuple(
                n * far for n, far in zip(flat if one.slicewise else (1, 1, 1), far_mm, strict=True)
            )
        if isinstance(one, Laws):
            far = 2 + (one.energy_radius or 0)
            return tuple(far * n for n in (flat if len(one.kernels) == 2 else (1, 1, 1)))
        if isinstance(one, Gabor):
            widest = CUTOFF * one.sigma_mm * max(1.0, 1 / one.aspect)
            axes = (1, 1, 1) if one.all_planes else flat
            return tuple(n * math.ceil(widest / mm) for n, mm in zip(axes, spacing_mm, strict=True))
        if isinstance(one, Wavelet):
            far = pywt.Wavelet(one.family).dec_len * (2**one.level - 1)
            return tuple(far * n for n in (flat if len(one.band) == 2 else (1, 1, 1)))
        return None

    def _options(self) -> dict[str, Any]:
        """Parameters of the filter that are not the default."""
        options: dict[str, Any] = {}
        for field in fields(self.filter):
            value = getattr(self.filter, field.name)
            if field.default is MISSING or value == field.default:
                continue
            if isinstance(value, Boundary):
                options["boundary"] = value.beyond
                if value.value:
                    options["boundary_value"] = value.value
            else:
                options[field.name] = value
        return options


def _told(key: str, value: Any) -> str:
    """A parameter as part of a name."""
    if isinstance(value, tuple):
        between = "" if all(isinstance(item, str) for item in value) else "-"
        return between.join(_told("", item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.12g}" + ("mm" if key.endswith("_mm") else "")
    return str(value)
