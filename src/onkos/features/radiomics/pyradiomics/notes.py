"""List of differences between a PyRadiomics parameter file and its translation."""

from __future__ import annotations

from dataclasses import dataclass, field

LEFT_OUT, DIFFERS, WITHOUT_EFFECT = "left out", "differs", "without effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference.

    Parameters
    ----------
    about
        Setting, image type or feature as PyRadiomics calls it: ``firstorder Kurtosis``.
    kind
        ``left out`` (no column), ``differs`` (a column of another value, or of another image) or
        ``without effect`` (a setting that has nothing to set here).
    reason
        Why, in words.
    """

    about: str
    kind: str
    reason: str

    def __str__(self) -> str:
        """One line of text."""
        return f"{self.about}: {self.kind}: {self.reason}"


@dataclass(slots=True)
class Notes:
    """Differences as they are found."""

    found: list[Difference] = field(default_factory=list)

    def left_out(self, about: str, reason: str) -> None:
        """Record a feature or image that is not available here."""
        self.found.append(Difference(about=about, kind=LEFT_OUT, reason=reason))

    def differs(self, about: str, reason: str) -> None:
        """Record a feature whose value differs."""
        self.found.append(Difference(about=about, kind=DIFFERS, reason=reason))

    def without_effect(self, about: str, reason: str) -> None:
        """Record a setting without effect."""
        self.found.append(Difference(about=about, kind=WITHOUT_EFFECT, reason=reason))
