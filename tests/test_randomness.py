"""Named streams of random numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from hptune.randomness import generator, seed_for


def test_a_stream_depends_on_seed_and_name_and_on_nothing_else() -> None:
    seeds = {
        seed_for(*key)
        for key in [(0, "cv", 0), (1, "cv", 0), (0, "cv", 1), (0, "model", 0), (0, "cv"), (-1, "cv", 0)]
    }
    assert len(seeds) == 6
    assert seed_for(0, "cv", 0) == seed_for(0, "cv", 0)


def test_a_stream_is_the_same_in_another_process() -> None:
    code = "from hptune.randomness import seed_for; print(seed_for(42, 'model', 3))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == seed_for(42, "model", 3)


def test_the_names_1_and_one_in_text_are_two_streams() -> None:
    assert seed_for(0, "cv", 1) != seed_for(0, "cv", "1")


def test_seeds_fit_into_a_signed_32_bit_integer() -> None:
    seeds = np.array([seed_for(0, "model", fold) for fold in range(2000)])
    assert seeds.min() >= 0
    assert seeds.max() < 2**31
    assert len(set(seeds)) > 1990  # 2000 draws from 2^31: more than 9 coincidences once in 10^40


def test_a_generator_starts_anew_each_time() -> None:
    assert generator(3, "oracle", 5).random() == generator(3, "oracle", 5).random()
