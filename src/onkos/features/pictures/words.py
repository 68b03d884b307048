"""Bag of visual words: histogram of the nearest cluster centres of local descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin, pairwise_distances_argmin_min
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.core.geometry import AnyArray
from onkos.features.pictures.picture import Description, FloatArray, numbered

Float32 = NDArray[np.float32]

SAMPLE = 50_000  # most descriptors that k-means is fitted to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """Visual words learnt from training patients.

    Parameters
    ----------
    words
        (k, length) float32: cluster centres.
    rarity
        (k,) float64: log(pictures / pictures with the word) of the training pictures, smoothed
        (tf-idf).
    spread
        Root mean square distance of the training descriptors from their word: the width of
        soft assignment.

    Raises
    ------
    ContentError
        If shapes do not fit or a value is not finite.
    """

    words: Float32
    rarity: FloatArray
    spread: float

    def __post_init__(self) -> None:
        words = np.array(self.words, dtype=np.float32)
        rarity = np.array(self.rarity, dtype=np.float64)
        if words.ndim != 2 or len(words) < 2 or rarity.shape != (len(words),):
            raise ContentError(
                f"words of shape {words.shape} with rarities of shape {rarity.shape}: expected "
                "(k, length) and (k,), k at least 2"
            )
        if not (np.isfinite(words).all() and np.isfinite(rarity).all() and self.spread > 0):
            raise ContentError("words, rarities and spread must be finite, the spread above 0")
        words.setflags(write=False)
        rarity.setflags(write=False)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "rarity", rarity)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Plain arrays to be stored in any format; :meth:`from_arrays` takes them back."""
        return {"words": self.words, "rarity": self.rarity, "spread": np.array(self.spread)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Vocabulary:
        """Vocabulary from what :meth:`to_arrays` gave.

        Raises
        ------
        ContentError
            If an array is missing or unknown.
        """
        if set(arrays) != {"words", "rarity", "spread"}:
            raise ContentError(f"arrays {sorted(arrays)}: expected words, rarity and spread")
        return cls(words=arrays["words"], rarity=arrays["rarity"], spread=float(arrays["spread"]))


def learn_vocabulary(
    pictures: Sequence[Float32], *, count: int, rng: np.random.Generator
) -> Vocabulary:
    """Learn visual words by mini-batch k-means.

    Parameters
    ----------
    pictures
        Descriptors (n, length) of each picture, of training patients only: a vocabulary that
        has seen the test patients would be biased towards them.
    count
        Number of words.
    rng
        Of the sample (at most 50,000 descriptors, equally many per picture) and of k-means.

    Raises
    ------
    CohortError
        If all pictures together have fewer descriptors than words are wanted.

    References
    ----------
    Sivic J, Zisserman A. Video Google: a text retrieval approach to object matching in videos.
    ICCV 2003. doi:10.1109/ICCV.2003.1238663
    """
    if count < 2:
        raise UsageError(f"{count} words: expected at least 2")
    each = max(1, SAMPLE // max(1, len(pictures)))
    drawn = [_sample(_checked(one), each, rng) for one in pictures]
    sample = np.concatenate(drawn) if drawn else np.empty((0, 1), dtype=np.float32)
    if len(sample) < count:
        raise CohortError(
            f"{len(sample)} descriptors in {len(pictures)} pictures for {count} words; give more "
            "pictures, a denser grid, or ask for fewer words"
        )
    learner = MiniBatchKMeans(
        n_clusters=count, batch_size=4096, n_init=1, random_state=int(rng.integers(2**31))
    )
    # k-means++ makes thousands of small matrix products: on a busy machine threads that wait for
    # one another at each of them take ten times as long as one thread.
    with threadpool_limits(limits=1):
        words = np.asarray(learner.fit(sample).cluster_centers_, dtype=np.float32)
        near = pairwise_distances_argmin_min(sample, words, metric="sqeuclidean")[1]
        have = np.zeros(count)
        for one in pictures:
            if len(one):
                have[np.unique(pairwise_distances_argmin(one, words))] += 1
    return Vocabulary(
        words=words,
        rarity=np.log((1 + len(pictures)) / (1 + have)) + 1,
        spread=float(np.sqrt(near.mean())) or 1.0,
    )


def bag_of_words(
    descriptors: Float32,
    vocabulary: Vocabulary,
    *,
    neighbours: int = 1,
    tf_idf: bool = False,
) -> Description:
    """Frequency of each visual word in a picture.

    Parameters
    ----------
    descriptors
        (n, length) of one picture.
    vocabulary
        The words.
    neighbours
        1: each descriptor counts for its nearest word (hard assignment). More: it is divided
        among that many nearest words by a Gaussian of the vocabulary's spread (soft).
    tf_idf
        Weight words by their rarity in the training pictures, then scale to unit length.

    Returns
    -------
    Description
        ``word-0`` ...; NaN throughout for a picture without descriptors.

    References
    ----------
    van Gemert JC et al. Visual word ambiguity. IEEE TPAMI 2010;32:1271-1283.
    doi:10.1109/TPAMI.2009.132
    """
    given, words = _checked(descriptors), vocabulary.words
    if not 1 <= neighbours <= len(words):
        raise UsageError(f"{neighbours} neighbours: expected 1 to the {len(words)} words")
    if len(given) and given.shape[1] != words.shape[1]:
        raise ContentError(
            f"descriptors of length {given.shape[1]} for words of length {words.shape[1]}; make "
            "them as those of the vocabulary were made"
        )
    if not len(given):
        return numbered("word", np.full(len(words), np.nan))
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute", metric="sqeuclidean")
    with threadpool_limits(limits=1):
        near, nearest = search.fit(words).kneighbors(given)
    near = np.asarray(near, dtype=np.float64)
    weights = np.exp(-(near - near.min(axis=1, keepdims=True)) / (2 * vocabulary.spread**2))
    weights /= weights.sum(axis=1, keepdims=True)
    counts = np.bincount(nearest.ravel(), weights=weights.ravel(), minlength=len(words))
    shares = counts / len(given)
    if tf_idf:
        shares = shares * vocabulary.rarity
        shares = shares / np.linalg.norm(shares)
    return numbered("word", shares)


def _checked(descriptors: Float32) -> Float32:
    found = np.asarray(descriptors, dtype=np.float32)
    if found.ndim != 2 or not np.isfinite(found).all():
        raise ContentError(f"descriptors of shape {found.shape}: expected finite ones, (n, length)")
    return found


def _sample(descriptors: Float32, most: int, rng: np.random.Generator) -> Float32:
    if len(descriptors) <= most:
        return descriptors
    return descriptors[rng.choice(len(descriptors), size=most, replace=False)]
