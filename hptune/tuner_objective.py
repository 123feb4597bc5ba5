"""What a `Tuner` optimises: a scorer by name, a scorer itself, or the model's own `score`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from hptune.errors import UsageError
from hptune.objective import Objective
from hptune.study_arguments import finite, scores_of, shown
from hptune.worker.failures import Invalid

OWN_SCORE: Final = "score"
"""The objective's name when the model's own `score(X, y)` is used, and of a scorer that has no name."""

Scorer = Callable[[Any, Any, Any], Any]
"""As scikit-learn's `scoring` takes it: (estimator, X, y) to a number, more is better."""


def objective_from(objective: Objective | str | Scorer | None) -> Objective:
    """Return the objective for a name, or for a scorer, by its function's name; None: the model's own `score`.

    Raises `UsageError` for a name that tells no direction, and for what is no objective.
    """
    if isinstance(objective, Objective):
        return objective
    if objective is None:
        return Objective(OWN_SCORE, "maximize")
    if isinstance(objective, str):
        return Objective.named(objective)
    _must_take_three(objective)
    return Objective(_name(objective), "maximize")


def scorer_from(objective: Objective | str | Scorer | None) -> Scorer | None:
    """Return the scorer that an objective is itself, None for one that is a name."""
    return None if objective is None or isinstance(objective, (str, Objective)) else objective


def must_score(objective: Objective) -> None:
    """Raise `UsageError` for a named objective that the default `run_trial` cannot compute, or in its direction."""
    from hptune.worker.scoring import nearest_scorer, scorer_names

    metric = objective.metric
    if metric == OWN_SCORE:
        return
    if metric not in scorer_names():
        raise UsageError(
            f"objective: expected the name of a scikit-learn scorer, found {metric!r}{nearest_scorer(metric)} "
            "(a run_trial of your own may return what it likes)"
        )
    if objective.direction == "minimize":
        raise UsageError(
            f"objective: scikit-learn's scorers are maximized ({metric}: more is better), found minimize"
        )


def scores_from(returned: Any, metric: str) -> list[float]:
    """Return what `run_trial` returned as a list of finite scores; raises `Invalid` for anything else."""
    if isinstance(returned, Mapping):
        if metric not in returned:
            found = ", ".join(map(str, returned)) or "an empty dict"
            raise Invalid(f"run_trial returned no {metric!r}; it returned {found}")
        returned = returned[metric]
    scores = scores_of(returned)
    wrong = [one for one in scores if not finite(one)]
    if wrong:
        raise Invalid(f"expected a finite number as score, run_trial returned {wrong[0]!r}"[:200])
    if not scores:
        raise Invalid("expected a score, run_trial returned none (an empty list)")
    return [float(one) for one in scores]


def _must_take_three(found: Any) -> None:
    """Raise `UsageError` for what cannot be called as a scorer, a function of predictions above all."""
    if not callable(found) or isinstance(found, type):
        several = isinstance(found, (list, tuple, set, dict)) and len(found) > 0
        mend = f"; a study has one objective: take {next(iter(found))!r}" if several else ""
        raise UsageError(
            "objective: expected the name of a scikit-learn scorer, a scorer (estimator, X, y), hptune.Objective(metric, "
            f"direction) or None, found {shown(found)}{mend}"
        )
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # some builtins tell none
        return
    first = next(iter(signature.parameters), "")
    try:
        signature.bind(None, None, None)
    except TypeError:
        three = False
    else:
        three = not first.startswith("y")  # of predictions with a third argument, as (y_true, y_pred, weights=None)
    if not three:
        raise UsageError(
            f"objective: expected a scorer (estimator, X, y), found {_name(found)}{signature}; of a function of (y_true, "
            f"y_pred) make one: sklearn.metrics.make_scorer({_called(found)}), with greater_is_better=False where less is "
            "better"
        )


def _called(found: Any) -> str:
    """Return a function's name, "function" for what has none."""
    name = getattr(found, "__name__", "")
    return name if name.isidentifier() else "function"


def _name(scorer: Any) -> str:
    """Return what tables and a kept folder call a scorer: its function's name, as scikit-learn names its own scorers."""
    scored = getattr(scorer, "_score_func", None)  # of make_scorer, which has no name of its own
    name = _called(scored if scored is not None else scorer)
    if name == "function":
        return OWN_SCORE
    return f"neg_{name}" if getattr(scorer, "_sign", 1) < 0 else name
