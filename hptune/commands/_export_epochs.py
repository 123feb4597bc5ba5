"""The part of an exported script that trains in epochs: the passes of `partial_fit` that the refit made."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hptune.models.epochs import itself
from hptune.worker.source import NotPlain

if TYPE_CHECKING:
    from hptune.worker.source import Source


def passes_of(estimator: Any) -> Any:
    """Return the last step that is trained in epochs, None if there is none; raises `NotPlain` for one deeper down."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if hasattr(last, "steps") and passes_of(last) is not None:
        raise NotPlain("epochs of a pipeline inside a pipeline")
    if itself(last) is last:
        return None
    if any(hasattr(step, "fit_resample") for _, step in getattr(estimator, "steps", ())):
        raise NotPlain("epochs on rows that a step has resampled")
    return last


def plain(estimator: Any) -> Any:
    """Return an unfitted estimator whose last step is trained in epochs without what trains it."""
    if not hasattr(estimator, "steps"):
        return itself(estimator)
    return type(estimator)([*estimator.steps[:-1], (estimator.steps[-1][0], itself(estimator.steps[-1][1]))])


def training(
    estimator: Any, given: Mapping[str, str], source: Source, *, by_row: frozenset[str], seeded: bool
) -> list[str]:
    """Return the lines of `fit` after its docstring.

    `given` are the arguments of `fit` as code, `by_row` those of them with a value a row; `seeded` says whether
    the global generators have to be.
    """
    last = passes_of(estimator)
    shuffle = source.name("sklearn.utils", "shuffle")
    steps = getattr(estimator, "steps", [("", last)])
    prefix = f"{steps[-1][0]}__" if steps[-1][0] else ""
    own = {name.removeprefix(prefix): code for name, code in given.items() if name.startswith(prefix)}
    others = [f"{name}={code}" for name, code in given.items() if not name.startswith(prefix)]
    rows = [name for name in own if prefix + name in by_row]
    lines = ["    model = build()"]
    what, learner = "X", "model"
    if len(steps) > 1:
        what, learner = "Z", "model[-1]"
        lines.append(f"    Z = model[:-1].fit_transform({', '.join(['X', 'y', *others])})")
    elif prefix:
        learner = "model[-1]"
    constants = [f"{name}={code}" for name, code in own.items() if name not in rows]
    if "classes" in inspect.signature(itself(last).partial_fit).parameters and "classes" not in own:
        constants.append(f"classes={source.name('numpy', 'unique')}(y)")
    drawn = ", ".join(["some", "label", *rows])
    shuffled = ", ".join([what, "y", *(own[name] for name in rows)])
    passed = ", ".join(["some", "label", *constants, *(f"{name}={name}" for name in rows)])
    lines.append(f"    for epoch in range({last.epochs}):")
    lines.append(f"        state = ({last.random_state} + epoch) % 2**32")
    if seeded:
        lines.append(f"        {source.name('numpy.random', 'seed')}(state)  # for a random_state left at null")
    lines.append(f"        {drawn} = {shuffle}({shuffled}, random_state=state)")
    return [*lines, f"        {learner}.partial_fit({passed})", "    return model"]
