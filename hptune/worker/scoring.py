"""The metrics of a study: scikit-learn's scorers by name, functions of (y_true, y_pred), and scorers of the user's."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hptune.dataset import Task, bad
from hptune.errors import ConfigError, Problem, did_you_mean
from hptune.evaluate import EvaluateSpec, is_function
from hptune.model import Loader
from hptune.objective import Direction
from hptune.worker.failures import failure_of, finite

DEFAULTS: dict[Task, str] = {"classification": "accuracy", "regression": "r2"}
_OTHER_NAMES = {
    "auc": "roc_auc",
    "log_loss": "neg_log_loss",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
}
# Which task a scorer is for, by the module of its score function; those that are not here (of clusters) go with both. A
# test holds that scikit-learn has no others.
_TASKS: dict[str, Task] = {
    "sklearn.metrics._classification": "classification",
    "sklearn.metrics._ranking": "classification",
    "sklearn.metrics._regression": "regression",
    "sklearn.metrics._scorer": "classification",  # the likelihood ratios
}


Splits = Sequence[tuple[Any, Any]]
"""The training and test rows (integer arrays) of each fold."""


@dataclass(frozen=True)
class FunctionScorer:
    """A user's metric as scikit-learn's scorers are called: (estimator, X, y) -> number, its sign untouched."""

    name: str
    function: Callable[[Any, Any], Any]

    def __call__(self, estimator: Any, X: Any, y: Any) -> Any:
        return self.function(y, estimator.predict(X))

    def unfit(self, y: Any, *, classes: bool) -> str | None:
        """Return why it has no score for a target y (rows,), None if it has one for some predictions of it.

        It need not have one for all: a correlation with a constant is none.
        """
        import numpy as np

        right = y.copy() if classes else y.astype(float)
        wrong = np.random.default_rng(0).permutation(right)
        why = None
        for predictions in (wrong, right, np.full_like(right, right[0])):
            try:
                finite(self.function(y.copy(), predictions), "what it returned")
            except (Exception, SystemExit) as error:
                why = why or failure_of(error).message.strip().splitlines()[0]
            else:
                return None
        return f"{self.name} cannot score this target: {why}; a metric is a function of (y_true, y_pred) to a number"


@dataclass(frozen=True)
class CallableScorer:
    """A user's scorer, a callable (estimator, X, y) -> number, its sign untouched."""

    name: str
    function: Callable[[Any, Any, Any], Any]

    def __call__(self, estimator: Any, X: Any, y: Any) -> Any:
        return self.function(estimator, X, y)


class Scoring:
    """The metric and the further ones (`evaluate.also`), for models that predict.

    Raises `ConfigError` for a name that is no scorer, or that does not fit the task.
    """

    def __init__(self, spec: EvaluateSpec, task: Task, load: Loader) -> None:
        self.metric = metric_name(spec, task)
        self.direction = direction_of(spec, self.metric)
        self.task = task
        keys = {self.metric: "evaluate.metric"}
        for number, name in enumerate(spec.also):
            keys.setdefault(name, f"evaluate.also.{number}")
        self.keys = keys
        self.scorers: dict[str, Any] = {}
        wrong: list[Problem] = []
        for name, key in keys.items():
            try:
                self.scorers[name] = _scorer(name, key, task, load)
            except ConfigError as error:
                wrong += error.problems
        if wrong:
            raise ConfigError(wrong)
        self.also = tuple(spec.also)
        if is_function(self.metric) and self.direction == "minimize" and _negates(self.scorers[self.metric]):
            message = (
                f"{self.metric} turns its sign (greater_is_better=False), so that more is better: write maximize"
            )
            raise bad("evaluate.direction", message)

    def __call__(self, estimator: Any, X: Any, y: Any) -> dict[str, float]:
        """Return the score of every metric by name; raises `Invalid` for one that is no finite number."""
        if len(self.scorers) == 1:
            return {self.metric: self.main(estimator, X, y)}
        return {name: finite(value, name) for name, value in self._together(estimator, X, y).items()}

    def main(self, estimator: Any, X: Any, y: Any) -> float:
        """Return the score of the metric alone; raises `Invalid` if it is no finite number."""
        return finite(self.scorers[self.metric](estimator, X, y), self.metric)

    @cached_property
    def _together(self) -> Callable[[Any, Any, Any], dict[str, Any]]:
        from sklearn.metrics import check_scoring

        # scikit-learn's multimetric scorer predicts once for all of them.
        return check_scoring(scoring=self.scorers, raise_exc=True)  # type: ignore[no-any-return]

    def methods(self, name: str) -> tuple[str, ...]:
        """Return the methods of which an estimator needs one for this metric (predict_proba, ...)."""
        wanted = getattr(self.scorers[name], "_response_method", "predict")
        return (wanted,) if isinstance(wanted, str) else tuple(wanted)

    def unfit(self, y: Any, splits: Splits = ()) -> list[tuple[str, str]]:
        """Return (config key, message) for each metric that cannot be computed for a target like y (rows,).

        Each one scores a model that ignores X: f1 wants two classes, neg_mean_squared_log_error no negative values. So
        does it on the folds, `splits` (training and test rows of each), with a single test row or other classes in both.
        """
        import numpy as np
        from sklearn.dummy import DummyClassifier, DummyRegressor

        X = np.zeros((len(y), 1))
        dummy = DummyClassifier(strategy="prior") if self.task == "classification" else DummyRegressor()
        out = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dummy.fit(X, y)
            odd = list(self._odd(y, splits, dummy))
            for name, scorer in self.scorers.items():
                if isinstance(scorer, FunctionScorer):
                    tested = y if not splits else y[splits[0][1]]
                    if (why := scorer.unfit(tested, classes=self.task == "classification")) is not None:
                        out.append((self.keys[name], why))
                    continue
                if not _sklearns(scorer):
                    continue  # a user's scorer wants a fitted model of its own kind
                try:
                    scorer(dummy, X, y)
                except Exception as error:
                    near = [one for one in scorer_names() if one.startswith(f"{name}_") and "samples" not in one]
                    mend = f"; there is {', '.join(near)}" if near else ""
                    if "pos_label" in str(error) and len(classes := np.unique(y).tolist()) == 2:
                        mend += _with_pos_label(name, self.keys[name], scorer, classes[1])
                    said = str(error).strip().splitlines()
                    out.append(
                        (self.keys[name], f"{name} cannot score this target: {said[0] if said else error}{mend}")
                    )
                    continue
                for fold, model, held in odd:
                    if not _scores(scorer, model, y[splits[fold][1]]):
                        out.append((self.keys[name], _unscored(name, fold, len(splits[fold][1]), held)))
                        break
        return out

    def _odd(self, y: Any, splits: Splits, dummy: Any) -> Iterator[tuple[int, Any, list[Any]]]:
        """Yield folds whose test rows may not do for a metric, one of each kind: a single row, or other classes than the
        training rows have. With each, a dummy fitted on its training rows and the classes of its test rows.
        """
        import numpy as np
        from sklearn.base import clone

        classified = self.task == "classification"
        classes, codes = np.unique(y, return_inverse=True) if classified else (y[:0], y[:0])
        known = set()
        for fold, (kept, tested) in enumerate(splits):
            kind: tuple[Any, ...] = (len(tested) < 2,)
            held: list[Any] = []
            if classified:
                there = [np.bincount(codes[rows], minlength=len(classes)) > 0 for rows in (kept, tested)]
                held = classes[there[1]].tolist()
                kind = (*kind, *(one.tobytes() for one in there))
                usual = len(tested) > 1 and bool((there[0] == there[1]).all())
            else:
                usual = len(tested) > 1
            if not usual and kind not in known:
                known.add(kind)
                yield fold, clone(dummy).fit(np.zeros((len(kept), 1)), y[kept]), held


def _unscored(name: str, fold: int, count: int, held: list[Any]) -> str:
    only = f", all of class {held[0]!r}" if len(held) == 1 else ""
    rows = f"{count} test row{'s' if count > 1 else ''}{only}"
    known = "" if len(held) < 2 else "; its training rows have other classes"
    return f"{name} cannot score fold {fold} ({rows}{known}): let there be fewer folds (evaluate.cv) or take another metric"


def _scores(scorer: Any, model: Any, y: Any) -> bool:
    """Return whether a scorer has a finite score for a target."""
    import numpy as np

    try:
        return bool(np.isfinite(scorer(model, np.zeros((len(y), 1)), y)))
    except Exception:
        return False


def metric_name(spec: EvaluateSpec, task: Task) -> str:
    """Return the metric's name, by default the one that scikit-learn's own `score` uses."""
    return spec.metric if spec.metric is not None else DEFAULTS[task]


def direction_of(spec: EvaluateSpec, metric: str) -> Direction:
    """Return in which direction a metric of predictions gets better; raises `ConfigError` if that is not known."""
    if is_function(metric):
        if spec.direction is None:
            raise bad("evaluate.direction", f"expected maximize or minimize: hptune cannot know it of {metric}")
        return spec.direction
    if spec.direction == "minimize" and metric in scorer_names():
        other = "its values are negative" if metric.startswith("neg_") else "more of it is better"
        raise bad("evaluate.direction", f"scikit-learn's scorers are maximized ({metric}: {other}); leave it out")
    return "maximize"


def scorer_names() -> list[str]:
    """Return scikit-learn's scorer names."""
    from sklearn.metrics import get_scorer_names

    return list(get_scorer_names())


def nearest_scorer(name: str) -> str:
    """Return `"; did you mean 'x'?"` for the scorer that a name is another word or a slip for, "" if there is none."""
    names = scorer_names()
    other = _OTHER_NAMES.get(name.lower(), "")
    return f"; did you mean {other!r}?" if other in names else did_you_mean(name, names)


def _scorer(name: str, key: str, task: Task, load: Loader) -> Any:
    if is_function(name):
        found = load(name, key=key, wanted="metric")
        if hasattr(found, "_score_func"):  # of make_scorer
            return found
        return (CallableScorer if _takes_three(found) else FunctionScorer)(name, found)
    if name not in scorer_names():
        raise bad(key, _no_scorer(name, task))
    if _task(name) not in (None, task):
        raise bad(key, f"{name} is for {_task(name)}, this is {task}; take {_suggested(task)}")
    from sklearn.metrics import get_scorer

    return get_scorer(name)


def _no_scorer(name: str, task: Task | None) -> str:
    fitting = [one for one in scorer_names() if task is None or _task(one) == task]
    hint = nearest_scorer(name) or (
        f" (such as {', '.join(fitting[:8])}), or a function pkg.mod:name with `direction:`"
    )
    return f"expected the name of a scikit-learn scorer, found {name!r}{hint}"


def unknown_names(spec: EvaluateSpec) -> list[tuple[str, str]]:
    """Return (config key, message) for each metric that is no scorer of scikit-learn's, whatever the data are."""
    named = [("evaluate.metric", spec.metric), *((f"evaluate.also.{i}", name) for i, name in enumerate(spec.also))]
    return [
        (key, _no_scorer(name, None))
        for key, name in named
        if name is not None and not is_function(name) and name not in scorer_names()
    ]


def _negates(scorer: Any) -> bool:
    return getattr(scorer, "_sign", 1) < 0


def _takes_three(function: Any) -> bool:
    """Return whether a callable needs three arguments, (estimator, X, y), rather than (y_true, y_pred)."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins tell no signature
        return False
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in places and one.default is one.empty for one in parameters) == 3


def _sklearns(scorer: Any) -> bool:
    """Return whether no code of the user's is in a scorer: that is run on real predictions only."""
    return str(getattr(getattr(scorer, "_score_func", None), "__module__", "")).startswith("sklearn.")


def _with_pos_label(name: str, key: str, scorer: Any, positive: Any) -> str:
    """Return the mend for a metric of two classes that does not know which of them counts."""
    if is_function(name):
        return f"; write pos_label={positive!r} in its make_scorer"
    function, method = scorer._score_func.__name__, scorer._response_method
    how = "" if method == "predict" else f", response_method={method!r}"
    direction = " with `direction: maximize`" if key == "evaluate.metric" else ""
    return (
        f"; to say which class counts write my_metrics.py beside the config: `from sklearn.metrics import {function}, "
        f"make_scorer` and `{name} = make_scorer({function}{how}, pos_label={positive!r})`, and take "
        f"my_metrics:{name}{direction}; or make the target 0 and 1"
    )


def _task(name: str) -> Task | None:
    from sklearn.metrics import get_scorer

    function = getattr(get_scorer(name), "_score_func", None)
    return _TASKS.get(getattr(function, "__module__", ""))


def _suggested(task: Task) -> str:
    if task == "regression":
        return "r2, neg_root_mean_squared_error or neg_mean_absolute_error"
    return "accuracy, balanced_accuracy, f1_macro, roc_auc or neg_log_loss"
