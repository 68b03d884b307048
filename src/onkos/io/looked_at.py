"""The one list of what changes the meaning of a number or a place, and its simplest rules."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from onkos.core.errors import ContentError
from onkos.core.source import Caveat

LIST: Final = "looked_at.toml"
FORMATS: Final = ("dicom", "nrrd", "nifti")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One line of the list: attributes of a format, what they mean, and what is done.

    ``done`` is ``handled``, ``flagged`` or ``refused`` and ``how`` says it in words. Where
    ``text`` is set, the rule is all in the list: the attribute gives cause by one of ``values``,
    or by any but ``unless``, in images of the kind ``only``.
    """

    format: str
    name: str
    means: str
    done: str
    how: str
    values: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    only: str = ""
    caveat: str = ""
    text: str = ""

    def gives_cause(self, told: str) -> str:
        """The value that gives cause; empty where none does."""
        parts = [part.strip().upper() for part in told.split("\\") if part.strip()]
        for part in parts:
            if part in self.values if self.values else part not in self.unless:
                return part
        return ""


@lru_cache(maxsize=1)
def attributes() -> tuple[Attribute, ...]:
    """Every line of the list."""
    text = (files("onkos.io") / LIST).read_text(encoding="utf-8")
    listed: dict[str, list[dict[str, Any]]] = tomllib.loads(text)
    return tuple(_attribute(form, one) for form, lines in listed.items() for one in lines)


def _attribute(form: str, line: dict[str, Any]) -> Attribute:
    told: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in line.items()
    }
    return Attribute(format=form, **told)


def caveats_by_rule(
    form: str, text_of: Callable[[str], str], *, placed: bool, where: str
) -> tuple[Caveat, ...]:
    """Caveats of the attributes whose rule stands in the list.

    Parameters
    ----------
    form
        ``dicom``, ``nrrd`` or ``nifti``.
    text_of
        Gives the value of an attribute as text, several joined by a backslash; empty if absent.
    placed
        Whether the image has a place in the patient.
    where
        How messages name the file or series.

    Raises
    ------
    ContentError
        If one of them is refused.
    """
    found = []
    for one in attributes():
        if one.format != form or not one.text or one.only == ("picture" if placed else "volume"):
            continue
        for name in one.name.split(", "):
            if value := one.gives_cause(text_of(name)):
                text = one.text.format(value=value)
                if one.done == "refused":
                    raise ContentError(f"{where}: {text}")
                found.append(Caveat(code=one.caveat, text=text, where=where))
                break
    return tuple(found)
