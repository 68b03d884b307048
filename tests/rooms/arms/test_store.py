"""Weights name nothing but harmless types, or they are refused before anything is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
import skops.io

from onkos.arms import store
from onkos.core.errors import ModelError
from onkos.core.plain import to_plain


class Payload:
    """A type no model needs."""

    def __init__(self):
        self.ran = True


def test_a_type_that_is_not_trusted_is_refused(models, tmp_path):
    models["trivial"].save(tmp_path)
    path = tmp_path / store.WEIGHTS
    skops.io.dump({"channel": Payload()}, path)
    card = json.loads((tmp_path / store.CARD).read_text())
    card["weights_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / store.CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"names types \['.*Payload'\]"):
        store.load(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_damaged_weights_are_refused(models, tmp_path, damage):
    models["trivial"].save(tmp_path)
    path = tmp_path / store.WEIGHTS
    path.write_bytes(damage)
    card = json.loads((tmp_path / store.CARD).read_text())
    card["weights_sha256"] = hashlib.sha256(damage).hexdigest()
    (tmp_path / store.CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match="not readable as weights"):
        store.load(tmp_path)


def test_a_folder_without_weights_or_card_is_refused(models, tmp_path):
    with pytest.raises(ModelError, match="no readable model card"):
        store.load(tmp_path)
    models["trivial"].save(tmp_path)
    (tmp_path / store.WEIGHTS).unlink()
    with pytest.raises(ModelError, match="no weights beside the card"):
        store.load(tmp_path)


def test_the_card_as_written_holds_the_digest(models, tmp_path):
    card = store.save(tmp_path, models["trivial"].card, {"channel": 1})
    assert to_plain(card) == to_plain(store.load_card(tmp_path))
    digest = hashlib.sha256((tmp_path / store.WEIGHTS).read_bytes()).hexdigest()
    signed = dataclasses.replace(models["trivial"].card, weights_sha256=digest)
    assert to_plain(card) == to_plain(signed)
