"""Recipes: a published question as a file, its cohort, target, arms, folds and figures."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from onkos.core.errors import ContentError, UsageError
from onkos.core.plain import from_plain

_FOLDER = resources.files("onkos.recipes")
_ENDING = ".toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is compared on what.

    Parameters
    ----------
    title
        The question in one line.
    layout
        Which public data set, as its own layout on disk; a name in ``cohort.layouts``.
    arms
        Names of the arms; the first of the family ``trivial`` is what all others must beat.
    target
        Column of the cohort that holds the reference class; empty where tissue is outlined.
    columns, size
        Columns that ``facts-`` arms look at, also by patterns (``original_*``); and those that
        hold the size, where a table without images has it, for ``size-only``.
    folds, repeats, seed
        Of the split by patient, and how often it is drawn anew.
    harmonise, covariates
        Column of the site or scanner between which arms with ``+combat`` are harmonised, and
        columns whose effect is kept while they are.
    limits
        What no figure of this question can show, in sentences for the page.
    paper
        Figures of the published system, by what they are, and its DOI.
    """

    title: str
    layout: str
    arms: tuple[str, ...]
    target: str = ""
    columns: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    folds: int = 5
    repeats: int = 1
    seed: int = 0
    harmonise: str = ""
    covariates: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    paper: Mapping[str, str] | None = None

    @property
    def task(self) -> str:
        """``classify`` where there is a target, else ``segment``."""
        return "classify" if self.target else "segment"


def shipped() -> tuple[str, ...]:
    """Names of the recipes that come with Onkos."""
    names = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))


def load(name: str) -> Recipe:
    """Read a recipe by its shipped name or by the path of a TOML file.

    Raises
    ------
    UsageError
        If there is none of that name, or it is not a recipe; the message names the known ones.
    """
    if name in shipped():
        text = (_FOLDER / f"{name}{_ENDING}").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        near = get_close_matches(name, shipped(), n=3, cutoff=0.4) or list(shipped()[:3])
        raise UsageError(
            f"no recipe {name!r}; did you mean {' or '.join(near)}? Expected a TOML file or a name "
            "that `onkos recipes` lists"
        )
    try:
        plain: dict[str, Any] = tomllib.loads(text)
        return from_plain(Recipe, plain)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"recipe {name}: not TOML: {error}") from error
    except ContentError as error:
        raise UsageError(f"recipe {name}: {error}") from error
