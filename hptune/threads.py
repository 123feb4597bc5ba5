"""One BLAS thread while an oracle thinks: its matrices are small, and threads that fight over cores slow it tenfold."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def limit_this_process() -> None:
    """Ask for one thread before numpy is loaded; what the user has set stays, and workers are told their own number."""
    for name in VARIABLES:
        os.environ.setdefault(name, "1")


@lru_cache(maxsize=2)
def _controller(scipy_loaded: bool) -> Any:
    del scipy_loaded  # part of the key only: scipy brings a BLAS of its own, which is found anew once it is there
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit the linear algebra libraries loaded so far to one thread, and put them back afterwards."""
    with _controller("scipy.linalg" in sys.modules).limit(limits=1):
        yield
