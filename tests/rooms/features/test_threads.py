"""Slabs and the threads that work on them."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onkos.features.threads import each, slabs


@given(st.integers(1, 500), st.integers(1, 20))
def test_slabs_follow_each_other_and_are_nearly_equal(side, parts):
    cut = slabs(side, parts=parts)
    assert [n for start, stop in cut for n in range(start, stop)] == list(range(side))
    lengths = [stop - start for start, stop in cut]
    assert len(cut) == min(side, parts)
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("threads", [1, 3])
def test_answers_are_in_the_order_of_the_jobs(threads):
    def slow_first(number: int, others: int) -> int:
        time.sleep(0.01 * others)
        return number

    jobs = [(n, 6 - n) for n in range(6)]
    assert each(slow_first, jobs, threads=threads) == list(range(6))


def test_jobs_run_side_by_side():
    meet = threading.Barrier(2, timeout=10)
    assert sorted(each(lambda _: meet.wait(), [(0,), (1,)], threads=2)) == [0, 1]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_one_job_is_the_error_of_all(threads):
    def fails(number: int) -> int:
        if number == 2:
            raise ValueError("job 2")
        return number

    with pytest.raises(ValueError, match="job 2"):
        each(fails, [(n,) for n in range(4)], threads=threads)
