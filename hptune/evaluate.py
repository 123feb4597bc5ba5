"""The options under `evaluate:`: how a configuration is measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from hptune.cv import CV, AnyCv, CvSpec, Folds, plain_folds
from hptune.names import unfit
from hptune.objective import Direction
from hptune.spec import Spec

__all__ = ["CV", "EvaluateSpec", "is_function"]

MEASURED = "score"  # the metric's name where a model measures itself and none is given


def is_function(metric: str) -> bool:
    """Return whether a metric is a function or scorer of the user's (`pkg.mod:name`) rather than a name."""
    return ":" in metric


FINALS_FROM = 20
"""Searches of more trials than this hold finals by default: below, they would cost a third of the fits without racing and
more than half of those with it (decision 4)."""


def _cv_shape(value: Any) -> str:
    return "<kind>" if isinstance(value, (Mapping, CvSpec)) else "<folds>"


class FinalsSpec(Spec):
    """The finals: the best few and the defaults once more, on fresh splits."""

    enabled_: bool | Literal["auto"] = Field(default="auto", alias="enabled")
    """auto: for searches of more than 20 trials, failed ones not counted."""
    finalists: Annotated[int, Field(ge=1, le=50)] = 3
    """How many of the best take part, beside the defaults."""
    repeats: Annotated[int, Field(ge=1, le=100)] | None = None
    """How often the folds are drawn anew: by default 2 times, for 85 trials and more 3, for 105 and more 4. 2 times take
    the fits of 6.5 full trials: a quarter of a raced search of 80, a tenth of one that is not raced."""

    def enabled(self, trials: int) -> bool:
        """Return whether a search of so many completed or stopped trials holds finals."""
        return trials > FINALS_FROM if self.enabled_ == "auto" else self.enabled_


class EvaluateSpec(Spec):
    """How a configuration is measured: by which metric, on which folds."""

    metric: str | None = Field(default=None, min_length=1)
    """A scikit-learn scorer's name; pkg.mod:name of a function of (y_true, y_pred), of what make_scorer returned, or of
    a scorer (estimator, X, y); or what a function model's number is called. By default accuracy for classifiers, r2 for
    regressors."""
    direction: Direction | None = None
    """maximize or minimize; needed for pkg.mod:name, known for scikit-learn's scorers (which all maximize)."""
    also: list[str] = Field(default_factory=list)
    """Further metrics that are measured and shown, not optimised."""
    cv: Annotated[Annotated[Folds, Tag("<folds>")] | Annotated[AnyCv, Tag("<kind>")], Discriminator(_cv_shape)] = 5
    """How the rows are divided: a number of folds, or {type: ...}."""
    early_stop_folds: bool = True
    """Racing: a configuration is given up between two folds once it will hardly beat the best one on all of them."""
    train_score: bool = False
    """Whether the training part is scored too, to see overfitting."""
    finals: FinalsSpec = Field(default_factory=FinalsSpec)
    """Whether the best few are measured again on fresh splits, so that the winner is not the luckiest."""
    nested: Annotated[int, Field(ge=2, le=100)] | None = None
    """Outer folds of nested cross-validation: the whole search is run again inside each, and its winner is scored on
    the rows that it never saw. It measures the procedure, at this many times its cost."""
    select: Literal["best", "one_standard_error"] = "best"
    """Which of the finalists wins: the one with the best mean, or the simplest within one standard error of it."""

    @field_validator("metric")
    @classmethod
    def _module(cls, metric: str | None) -> str | None:
        if metric is not None and re.search(r"\.py(:|$)", metric):
            raise ValueError(f"expected module:function without .py, found {metric!r}")
        if wrong := unfit(metric or ""):
            raise ValueError(wrong)
        return metric

    @field_validator("also")
    @classmethod
    def _once_each(cls, also: list[str]) -> list[str]:
        for name in also:
            cls._module(name)
            if not name or also.count(name) > 1:
                raise ValueError(f"expected the names of metrics, each once, found {name!r}")
        return also

    def cv_for(self, *, classes: bool, groups: bool) -> CvSpec:
        """Return the splitting, with a plain number resolved for this kind of data."""
        return plain_folds(self.cv, classes=classes, groups=groups) if isinstance(self.cv, int) else self.cv

    def imports(self) -> list[tuple[str, str]]:
        """Return the (config key, dotted name) of the functions among the metrics."""
        named = [("evaluate.metric", self.metric or "")]
        named += [(f"evaluate.also.{number}", name) for number, name in enumerate(self.also)]
        return [(key, name) for key, name in named if is_function(name)]
