"""Model folders: ``card.json`` and ``weights.skops``. Loading one never runs code from it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import skops.io

from onkos.core.card import Card
from onkos.core.errors import ModelError
from onkos.core.plain import card_from_plain
from onkos.io.whole import write_json, written_whole

CARD = "card.json"
WEIGHTS = "weights.skops"

#: Types a weights file may name beyond skops' own list of harmless ones: the trees of a forest,
#: whose arrays skops hands to scikit-learn, which checks them.
TRUSTED: tuple[str, ...] = ("sklearn.tree._tree.Tree",)


def save(folder: Path, card: Card, weights: Mapping[str, Any]) -> Card:
    """Write a model; the card gets the digest of the weights and is written last.

    Returns
    -------
    Card
        The card as written.
    """
    with written_whole(folder / WEIGHTS) as temporary:
        skops.io.dump(dict(weights), temporary, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
        digest = _sha256(temporary)
    signed = replace(card, weights_sha256=digest)
    write_json(folder / CARD, signed)
    return signed


def load(folder: Path) -> tuple[Card, dict[str, Any]]:
    """Read a model: its card and its weights, after checking both.

    Raises
    ------
    ModelError
        If a file is missing or is not what it should be, the weights are not those the card
        was written for, or they name types that are not trusted.
    """
    card = load_card(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{path}: no weights beside the card; copy the whole model folder")
    if _sha256(path) != card.weights_sha256:
        raise ModelError(
            f"{path}: the weights are not those of card.json, SHA-256 {_sha256(path)[:12]} against "
            f"{card.weights_sha256[:12]}; get the model again from where it was fitted"
        )
    try:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        if unknown:
            raise ModelError(
                f"{path}: names types {unknown[:5]} that a model of this kind does not need; "
                "it may be malicious: do not use it"
            )
        weights = skops.io.load(path, trusted=list(TRUSTED))
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file makes skops raise
        raise ModelError(
            f"{path}: not readable as weights: {error}; fit the model again"
        ) from error
    if not isinstance(weights, dict):
        raise ModelError(f"{path}: holds a {type(weights).__name__}, expected named weights")
    return card, weights


def load_card(folder: Path) -> Card:
    """Read a model's card; :class:`ModelError` if there is none or it is damaged."""
    path = folder / CARD
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: no readable model card ({error}); expected a model folder as written by fit"
        ) from error
    return card_from_plain(plain)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
