"""Named streams of random numbers, derived from the study's one seed.

A stream is named by words and numbers, such as ("cv", 0) or ("model", 3). Its numbers depend on the seed and the name
alone: not on the process, the trial that asks, or what was drawn before. So every trial meets the same splits and the
same model seeds (paired folds), and a fold can be measured again anywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

Name = str | int


def stream(seed: int, *names: Name) -> np.random.SeedSequence:
    """Return the seed sequence of the stream with this name; any integer is a seed, 0 too."""
    text = json.dumps([int(seed), *names])
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(text.encode()).digest(), "little"))


def generator(seed: int, *names: Name) -> np.random.Generator:
    """Return a fresh generator at the start of the stream with this name."""
    return np.random.default_rng(stream(seed, *names))


@lru_cache(maxsize=4096, typed=True)
def seed_for(seed: int, *names: Name) -> int:
    """Return the integer in [0, 2^31) that a `random_state` takes from the stream with this name.

    31 bits and not 32, because LightGBM and XGBoost read a signed 32-bit integer.
    """
    return int(stream(seed, *names).generate_state(1)[0] >> 1)


_globals = threading.RLock()


@contextlib.contextmanager
def seeded_globals(seed: int) -> Iterator[None]:
    """Seed Python's and numpy's global generators, and put them back afterwards.

    Code that draws from these (`random_state=None` does) then gives the same in any process and fold order. There is one
    pair of generators for all threads: a second thread waits here until the first is done.
    """
    with _globals:
        python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is the point
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002
