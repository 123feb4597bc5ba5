"""What several test files share: awkward spaces by name, and a study told by hand."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hptune.conditions import Forbid, Require, clause
from hptune.space import Boolean, Choice, Fixed, Float, Int, SearchSpace

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_COLOR", "1")
os.environ.pop("COLUMNS", None)  # of the terminal, and pytest-xdist's 80: what is not asked to fold does not
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs with Ctrl-C ignored, which every process of theirs inherits.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no module of a test's own folder behind: the next test's may have the same name."""
    if "tmp_path" not in request.fixturenames:
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


def deep(levels: int = 4) -> SearchSpace:
    """Each switch activates the next one and a number."""
    parameters: list[object] = [Boolean(name="on_0")]
    for i in range(1, levels):
        parent = clause(f"on_{i - 1}", True)
        parameters += [Boolean(name=f"on_{i}", when=parent), Float(name=f"x_{i}", low=0, high=1, when=parent)]
    return SearchSpace(tuple(parameters))  # type: ignore[arg-type]


SPACES: dict[str, SearchSpace] = {
    "one dimension": SearchSpace((Float(name="x", low=-5, high=5),)),
    "one point": SearchSpace((Float(name="x", low=2, high=2), Choice(name="c", values=("only",)))),
    "three points": SearchSpace((Choice(name="c", values=("a", "b", "c")),)),
    "all categorical": SearchSpace(tuple(Choice(name=f"c{i}", values=("a", None, True, 1)) for i in range(5))),
    "log ints and steps": SearchSpace(
        (
            Int(name="n", low=1, high=1000, scale="log"),
            Float(name="s", low=0, high=1, step=0.3),
            Int(name="f", low=1, high=100, scale="log", factor=3),
            Float(name="r", low=0.5, high=0.999, scale="reverse_log"),
        )
    ),
    "deeply conditional": deep(),
    "extras and fixed": SearchSpace(
        (
            Choice(name="kernel", values=("rbf", "poly", "linear")),
            Float(
                name="gamma", low=1e-5, high=1, scale="log", extra=("scale",), when=clause("kernel", ["rbf", "poly"])
            ),
            Int(name="degree", low=2, high=5, when=clause("kernel", "poly")),
            Float(name="eps", low=0.1, high=10, scale="log", extra=(0,)),
            Fixed(name="cache", value=200),
        )
    ),
    "constrained": SearchSpace(
        (Float(name="a", low=0, high=1), Float(name="b", low=0, high=1), Choice(name="k", values=("p", "q"))),
        (Require("a + b < 0.8"), Forbid((*clause("k", "p"), *clause("a", {"gt": 0.5})))),
    ),
    "sixty dimensions": SearchSpace(tuple(Float(name=f"x{i}", low=0, high=1) for i in range(60))),
}


@pytest.fixture(params=SPACES, ids=lambda name: name.replace(" ", "-"))
def awkward(request: pytest.FixtureRequest) -> SearchSpace:
    return SPACES[request.param]
