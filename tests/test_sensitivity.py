"""Sobol' indices by pairs of points, against the closed forms of functions whose indices are known."""

from __future__ import annotations

import numpy as np
import pytest

from hptune.sensitivity import first_order, interaction, total_effect
from hptune.sobol import sobol

U = np.array([sobol(i, 6, 0) for i in range(4096)])
A, B = U[:, :3], U[:, 3:]


def with_column(i: int, A: np.ndarray = A) -> np.ndarray:
    out = A.copy()
    out[:, i] = B[:, i]
    return out


def ishigami(X: np.ndarray) -> np.ndarray:
    a, b, c = (np.pi * (2 * X - 1)).T
    return (np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a))[:, None]


@pytest.mark.parametrize(
    ("i", "first", "total"),
    [(0, 0.3139, 0.5576), (1, 0.4424, 0.4424), (2, 0.0, 0.2437)],  # Ishigami and Homma 1990, a = 7, b = 0.1
)
def test_ishigamis_indices_are_the_known_ones(i: int, first: float, total: float) -> None:
    fa, fb, fi = ishigami(A), ishigami(B), ishigami(with_column(i))
    V = np.concatenate([fa, fb]).var(axis=0)
    assert total_effect(fa, fi, V) == pytest.approx(total, abs=0.02)
    assert first_order(fb, fi, V, fa) == pytest.approx(first, abs=0.02)
    assert first_order(fb, fi, V) == pytest.approx(first, abs=0.04)  # without the control, less exactly


def test_the_interaction_of_two_inputs_is_what_they_do_only_together() -> None:
    f = [ishigami(X) for X in (A, with_column(0), with_column(2), with_column(2, with_column(0)))]
    V = np.concatenate([ishigami(A), ishigami(B)]).var(axis=0)
    assert interaction(*f, V) == pytest.approx(0.2437, abs=0.02)
    g = [ishigami(X) for X in (A, with_column(0), with_column(1), with_column(1, with_column(0)))]
    assert interaction(*g, V) == pytest.approx(0.0, abs=1e-12)
