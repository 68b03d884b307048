"""Result of an extraction: one row per region, one column per feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from onkos.core.errors import ContentError, UsageError
from onkos.core.source import Caveat
from onkos.features.radiomics.catalogue import aggregation_identifier, identifier
from onkos.features.radiomics.settings import Settings

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Features of every region of one image.

    Parameters
    ----------
    labels
        Names of the regions, one a row.
    names
        Tags of the features, one a column, e.g. ``cm_contrast_3D_comb``, after the name of the
        filter where they are of a response; millimetres where a feature has a length.
    values
        (labels, names) array, kept read-only. NaN where a feature is undefined for a region;
        then ``caveats`` say why.
    settings
        How they were computed.
    caveats
        By region: what a reader of its row must know.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    values: FloatArray
    settings: Settings
    caveats: Mapping[str, tuple[Caveat, ...]]

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64).view()
        if values.shape != (len(self.labels), len(self.names)):
            raise ContentError(
                f"values of shape {values.shape} for {len(self.labels)} regions "
                f"and {len(self.names)} features"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "caveats", MappingProxyType(dict(self.caveats)))

    @property
    def identifiers(self) -> Mapping[str, str]:
        """IBSI's permanent identifier of each feature by its tag, e.g. ``ACUI``."""
        return {name: identifier(self._tag(name)) for name in self.names}

    @property
    def aggregations(self) -> Mapping[str, str]:
        """IBSI's identifier of each feature's aggregation by its tag; empty without one."""
        return {name: aggregation_identifier(self._tag(name)) for name in self.names}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names for a file's header: tag, then identifier, e.g. ``cm_contrast_3D_comb_ACUI``."""
        return tuple(f"{name}_{identifier(self._tag(name))}" for name in self.names)

    def column(self, name: str) -> FloatArray:
        """Values of one feature by tag, header name or (where it is the only one) identifier.

        Raises
        ------
        UsageError
            If no feature, or more than one, is called so.
        """
        heads, codes = self.columns, self.identifiers
        found = [n for n, tag in enumerate(self.names) if name in (tag, heads[n], codes[tag])]
        if len(found) != 1:
            told = ", ".join(self.names[n] for n in found) or "none; see .names"
            raise UsageError(f"feature {name!r}: expected one of that name, there are {told}")
        values: FloatArray = self.values[:, found[0]]
        return values

    def row(self, label: str) -> dict[str, float]:
        """Features of one region by tag."""
        if label not in self.labels:
            raise UsageError(f"no region {label!r}; there are {', '.join(self.labels[:10])}")
        line = self.values[self.labels.index(label)]
        return dict(zip(self.names, line.tolist(), strict=True))

    def _tag(self, name: str) -> str:
        """Tag of a feature without the name of its filter, the longest that fits."""
        filters = [f"{filtering.id}_" for filtering in self.settings.filters]
        fitting = [start for start in filters if name.startswith(start)]
        return name.removeprefix(max(fitting, key=len)) if fitting else name
