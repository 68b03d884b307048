"""What follow-up is refused."""

from __future__ import annotations

import numpy as np
import pytest

from onkos.core.errors import CohortError, ContentError, UsageError
from onkos.stats.survival.followup import FollowUp, scores

FOLLOW = FollowUp(time=[5.0, 2.0, 9.0, 2.0], event=[1, 0, 0, 1])


def test_counts_and_order():
    assert (FOLLOW.n, FOLLOW.events, FOLLOW.longest) == (4, 2, 9.0)
    assert FOLLOW.time[FOLLOW.order].tolist() == [2.0, 2.0, 5.0, 9.0]


def test_arrays_are_copies_that_cannot_be_written():
    time = np.array([1.0, 2.0])
    follow = FollowUp(time=time, event=[True, False])
    time[0] = 7.0
    assert follow.time[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        follow.time[0] = 3.0


def test_ending_the_follow_up_censors_who_is_left():
    ended = FOLLOW.until(4.0)
    assert ended.time.tolist() == [4.0, 2.0, 4.0, 2.0]
    assert ended.event.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        ([1.0, np.nan], [1, 0], r"times at \[1\] are \[nan\]"),
        ([1.0, np.inf], [1, 0], r"times at \[1\]"),
        ([-3.0, 1.0], [1, 0], r"times at \[0\] are \[-3.0\]"),
        ([], [], "at least one"),
        ([1.0, 2.0], [1, 2], r"event holds \['2'\]"),
        ([1.0, 2.0], [1.0, np.nan], r"event holds \['nan'\]"),
        ([1.0, 2.0], [1, 0, 1], r"event of shape \(3,\)"),
        ([1.0, 2.0], ["yes", "no"], "event holds"),
    ],
)
def test_what_is_no_follow_up_is_refused_by_place(time, event, message):
    with pytest.raises(ContentError, match=message):
        FollowUp(time=time, event=event)


def test_a_patient_listed_twice_is_refused_by_name():
    with pytest.raises(CohortError, match=r"\['b'\] are listed more than once"):
        FollowUp(time=[1.0, 2.0, 3.0], event=[1, 0, 1], patients=["b", "a", "b"])


@pytest.mark.parametrize("horizon", [0.0, -1.0, 9.0, 20.0, np.nan, np.inf])
def test_a_horizon_at_which_nobody_is_followed_is_refused(horizon):
    with pytest.raises(UsageError, match="longest follow-up, 9"):
        FOLLOW.require_horizon(horizon)


def test_risks_that_are_not_finite_are_refused_by_patient():
    with pytest.raises(ContentError, match=r"risk of patients \[2\] is not finite"):
        scores([0.1, 0.2, np.nan, 0.3], FOLLOW, what="risk")
    with pytest.raises(ContentError, match="for 4 patients"):
        scores([0.1, 0.2], FOLLOW, what="risk")
