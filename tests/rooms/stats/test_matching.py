"""Which mark belongs to which lesion."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import ContentError
from onkos.stats.matching import Affinity, by_distance, by_iou, by_mask, match_marks

BOX = [[0, 0, 0], [2, 2, 2]]
NEXT = [[1, 0, 0], [3, 2, 2]]
FAR = [[9, 9, 9], [11, 12, 13]]


def test_iou_of_boxes():
    found = by_iou([BOX, FAR], [BOX, NEXT], at_least=0.5)
    assert found.closeness == pytest.approx(np.array([[1, 1 / 3], [0, 0]]))
    assert found.accepted.tolist() == [[True, False], [False, False]]
    assert by_iou([NEXT], [BOX], at_least=1 / 3).accepted.all()


def test_iou_of_flat_boxes():
    found = by_iou([[[0, 0], [2, 2]]], [[[1, 1], [3, 3]]], at_least=0.1)
    assert found.closeness[0, 0] == pytest.approx(1 / 7)


def test_distances_may_be_the_radius_of_each_lesion():
    found = by_distance([[0, 0, 3]], [[0, 0, 0], [0, 4, 3]], within_mm=[2.9, 4.0])
    assert found.closeness.tolist() == [[-3, -4]]
    assert found.accepted.tolist() == [[False, True]]


def test_a_second_mark_on_a_lesion_is_a_double_whatever_the_order():
    for order in ([0, 1], [1, 0]):
        scores = np.array([0.4, 0.9])[order]
        found = match_marks(by_distance([[0.0], [1.0]], [[0.5]], within_mm=1), scores)
        assert found.lesion_scores.tolist() == [0.9]
        assert found.double.tolist() == (scores == 0.4).tolist()
        assert not found.false.any()


def test_greedy_takes_the_best_score_first_and_hungarian_the_most_pairs():
    """The surer mark lies between both lesions, nearer to the first; the other only fits that."""
    affinity = Affinity(
        closeness=np.array([[0.9, 0.6], [0.7, 0.0]]),
        accepted=np.array([[True, True], [True, False]]),
    )
    greedy = match_marks(affinity, [0.9, 0.8])
    assert greedy.lesion.tolist() == [0, -1]
    assert greedy.lesion_scores.tolist() == [0.9, -np.inf]
    assert (greedy.double.tolist(), greedy.missed) == ([False, True], 1)
    hungarian = match_marks(affinity, [0.9, 0.8], method="hungarian")
    assert hungarian.lesion.tolist() == [1, 0]
    assert hungarian.lesion_scores.tolist() == [0.8, 0.9]


def test_of_equal_scores_the_closer_mark_is_first():
    found = match_marks(by_distance([[2.0], [0.5]], [[0.0]], within_mm=3), [0.5, 0.5])
    assert found.lesion.tolist() == [-1, 0]


def test_marks_on_uncounted_lesions_neither_help_nor_harm():
    labels = np.zeros((4, 5), dtype=int)
    labels[0, 0], labels[3, 4] = 1, 2
    affinity = by_mask([[0, 0], [3, 4], [2, 2]], labels, lesions=[1, 2])
    found = match_marks(affinity, [0.9, 0.8, 0.7], uncounted=[False, True])
    assert found.lesion_scores.tolist() == [0.9]
    assert found.ignored.tolist() == [False, True, False]
    assert found.false.tolist() == [False, False, True]


def test_no_marks_and_no_lesions():
    assert match_marks(by_iou([], [BOX], at_least=0.5), []).missed == 1
    assert match_marks(by_distance([[1.0]], [], within_mm=1), [0.5]).false.tolist() == [True]
    assert match_marks(by_mask([], np.zeros((2, 2)), lesions=[]), []).lesion_scores.size == 0
    assert match_marks(by_iou([], [], at_least=0.5), [], method="hungarian").lesion.size == 0


def test_what_is_refused():
    with pytest.raises(ContentError, match="no extent"):
        by_iou([[[0, 0], [0, 1]]], [[[0, 0], [1, 1]]], at_least=0.5)
    with pytest.raises(ContentError, match="at least"):
        by_iou([BOX], [BOX], at_least=0)
    with pytest.raises(ContentError, match="2 against 3 axes"):
        by_iou([[[0, 0], [1, 1]]], [BOX], at_least=0.5)
    with pytest.raises(ContentError, match="expected one positive"):
        by_distance([[0.0]], [[0.0]], within_mm=[1.0, 2.0])
    with pytest.raises(ContentError, match="expected finite"):
        by_distance([[np.nan]], [[0.0]], within_mm=1.0)
    with pytest.raises(ContentError, match="outside the grid"):
        by_mask([[0, -1]], np.zeros((2, 2)), lesions=[1])
    with pytest.raises(ContentError, match="expected indices"):
        by_mask([[0.5, 1.0]], np.zeros((2, 2)), lesions=[1])
    one = by_distance([[0.0]], [[0.0]], within_mm=1.0)
    with pytest.raises(ContentError, match="not finite"):
        match_marks(one, [np.nan])
    with pytest.raises(ContentError, match="for 1 marks"):
        match_marks(one, [0.1, 0.2])
