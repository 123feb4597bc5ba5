"""Every registered oracle suggests what it did: the golden sequence. A meant change: `python -m tests.oracles.golden`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oracles.golden import CASES, PATH, SPACES, TRIALS, Line, suggested

RECORDED: dict[str, list[Line]] = json.loads(PATH.read_text())

CLOSE = {"model": 1e-6, "refinement": 1e-6, "tpe": 1e-6}
"""How near a number must come, relatively, by the rule that proposed it. OpenBLAS's kernels for other processors
(OPENBLAS_CORETYPE: Haswell, Nehalem, Prescott, Zen, SkylakeX), two threads, and numpy without AVX change one by at
most 4e-10."""


def alike(found: Any, recorded: Any, close: float) -> bool:
    """Return whether two entries of a suggestion are the same, numbers as near as `close`."""
    if isinstance(found, list) and isinstance(recorded, list):
        return len(found) == len(recorded) and all(
            alike(one, other, close) for one, other in zip(found, recorded, strict=True)
        )
    if isinstance(found, float) and isinstance(recorded, float):
        return found == pytest.approx(recorded, rel=close, abs=1e-12)
    return type(found) is type(recorded) and found == recorded


@pytest.mark.parametrize(("name", "space"), CASES, ids=[f"{name}-{space}".replace(" ", "-") for name, space in CASES])
def test_an_oracle_suggests_what_is_recorded(name: str, space: str) -> None:
    recorded = RECORDED[f"{name}, {space}"]
    assert len(recorded) == TRIALS
    for number, (found, held) in enumerate(zip(suggested(name, SPACES[space], recorded), recorded, strict=True)):
        assert alike(found, held, CLOSE.get(held[-2], 1e-12)), (number, found, held)


def test_the_golden_sequence_is_that_of_the_registry_and_leaves_nothing_out() -> None:
    assert list(RECORDED) == [f"{name}, {space}" for name, space in CASES]
    lines = [line for lines in RECORDED.values() for line in lines]
    assert {line[-2] for line in lines} == {
        *("default", "grid", "model", "promotion", "random", "refinement", "sobol", "tpe")
    }
    assert any(line[-4] is not None for line in lines)  # a fidelity
