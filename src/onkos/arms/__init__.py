"""The methods that can be compared and fitted, by name, and the models they become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from onkos.arms import classify, detect, intensity, outline, store, supervoxel, trivial
from onkos.core.card import Card
from onkos.core.errors import ModelError
from onkos.core.protocols import Arm, Model

ARMS: dict[str, Arm] = {
    supervoxel.NAME: supervoxel.SupervoxelForest(),
    intensity.NAME: intensity.IntensityForest(),
    trivial.NAME: trivial.BrightBlob(),
    **outline.OUTLINERS,
    **classify.CLASSIFIERS,
    **classify.SEVERAL,
    **detect.DETECTORS,
}

_BUILD: dict[str, Callable[[Card, dict[str, Any]], Model]] = {
    supervoxel.NAME: supervoxel.from_weights,
    intensity.NAME: intensity.from_weights,
    trivial.NAME: trivial.from_weights,
    **dict.fromkeys(outline.OUTLINERS, outline.from_weights),
    **dict.fromkeys(classify.BUILT, classify.build),
    **dict.fromkeys(classify.SEVERAL, classify.build_several),
    **dict.fromkeys(detect.DETECTORS, detect.build),
}


def load(folder: Path | str) -> Model:
    """Load a model folder: ``card.json`` and ``weights.skops``.

    Raises
    ------
    ModelError
        If the folder is incomplete or damaged, the weights were exchanged or name types that a
        model does not need, or no arm of this version made it.
    """
    folder = Path(folder)
    card = store.load_card(folder)
    if card.arm not in _BUILD:
        raise ModelError(
            f"{folder}: made by the arm {card.arm!r}, which this version does not have; "
            f"it has {sorted(_BUILD)}: use the version of Onkos that fitted it, {card.version}"
        )
    card, weights = store.load(folder)
    try:
        return _BUILD[card.arm](card, weights)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{folder}: the weights are not those of a {card.arm} ({error!r}); fit it again"
        ) from error
