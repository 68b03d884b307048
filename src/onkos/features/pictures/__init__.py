"""Descriptors of plain pictures: ultrasound, mammograms, single slices.

Each takes a picture and a mask, optional where the descriptor makes sense without one, and gives
a :class:`Description`: named numbers whose NaN are documented.
"""

from __future__ import annotations

from onkos.features.pictures.breast import mammographic_mass, ultrasound_lesion
from onkos.features.pictures.keypoints import Keypoints, dense_keypoints, keypoints
from onkos.features.pictures.picture import Description, joined
from onkos.features.pictures.texture import binary_patterns, cooccurrence, gradients, waves
from onkos.features.pictures.words import Vocabulary, bag_of_words, learn_vocabulary

__all__ = [
    "Description",
    "Keypoints",
    "Vocabulary",
    "bag_of_words",
    "binary_patterns",
    "cooccurrence",
    "dense_keypoints",
    "gradients",
    "joined",
    "keypoints",
    "learn_vocabulary",
    "mammographic_mass",
    "ultrasound_lesion",
    "waves",
]
