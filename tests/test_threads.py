"""What threads of one process share: the BLAS libraries' number of threads, and the global generators."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg  # noqa: F401 - brings a BLAS of its own
from threadpoolctl import OpenBLASController, ThreadpoolController

from hptune import threads
from hptune.randomness import seeded_globals


def blas() -> set[int]:
    return {one["num_threads"] for one in ThreadpoolController().info() if one["user_api"] == "blas"}


def overlapping(block: Callable[[], Any], inside: Callable[[], Any] = lambda: None) -> None:
    """Enter the block in two threads so that the first one out is the first one in."""
    entered = [threading.Event(), threading.Event()]
    left = threading.Event()

    def first() -> None:
        with block():
            entered[0].set()
            entered[1].wait(0.3)  # in vain where the second has to wait outside
            inside()
        left.set()

    def second() -> None:
        entered[0].wait()
        with block():
            entered[1].set()
            left.wait(10)
            inside()

    both = [threading.Thread(target=one) for one in (first, second)]
    for one in both:
        one.start()
    for one in both:
        one.join()


def test_threads_that_limit_blas_together_leave_it_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_limited", False)
    seen: list[set[int]] = []
    controller = ThreadpoolController()
    before = {one["filepath"]: one["num_threads"] for one in controller.info()}
    controller.limit(limits=2)
    OpenBLASController.clear_controlling_thread()  # or else the other threads' limits would be ignored
    try:
        overlapping(threads.one_thread, lambda: seen.append(blas()))
        assert blas() == {2}
        with threads.one_thread(), threads.one_thread():
            assert blas() == {1}
        assert blas() == {2}
    finally:
        controller.limit(limits=before)
    assert seen == [{1}, {1}]


def test_threads_that_seed_the_global_generators_do_so_one_after_another() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    drawn: list[float] = []
    overlapping(lambda: seeded_globals(3), lambda: drawn.append(np.random.random()))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    with seeded_globals(3), seeded_globals(4):
        pass  # a thread does not wait for itself
