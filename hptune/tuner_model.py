"""What a `Tuner` builds: a `HyperModel`, or a function or an object of the user's as one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from hptune.errors import UsageError, did_you_mean
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.study_arguments import shown


class Wrapped(HyperModel):
    """A function `build(hp)`, or an object with such a method (and, if it likes, `fit(hp, model, ...)`), as a hypermodel.

    It may be called as the function is.
    """

    def __init__(self, given: Any) -> None:
        super().__init__(name=getattr(given, "__name__", None))
        method = getattr(given, "build", None)
        own_fit = getattr(given, "fit", None) if callable(method) else None
        self._build: Callable[[HyperParameters], Any] = method if callable(method) else given
        self.own_fit = own_fit if callable(own_fit) else None

    def build(self, hp: HyperParameters) -> Any:
        return self._build(hp)

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        if self.own_fit is not None:
            return self.own_fit(hp, model, *args, **kwargs)
        return super().fit(hp, model, *args, **kwargs)

    def __call__(self, hp: HyperParameters) -> Any:
        return self.build(hp)


def hypermodel_from(given: Any) -> HyperModel | None:
    """Return what a `Tuner` was given as a hypermodel (None of None); raises `UsageError` for what builds nothing."""
    if given is None or isinstance(given, HyperModel):
        return given
    builds = callable(getattr(given, "build", None))
    if isinstance(given, type) and builds:
        name = given.__name__
        raise UsageError(f"hypermodel: expected an instance, found the class {name}; write {name}()")
    if builds or callable(given):
        return Wrapped(given)
    raise UsageError(
        f"hypermodel: expected a function build(hp) that returns a model, or an object with such a method, found "
        f"{shown(given)}"
    )


def has_own_fit(hypermodel: HyperModel) -> bool:
    """Return whether it fits in a way of its own, which may ask for hyperparameters that `build` does not."""
    if isinstance(hypermodel, Wrapped):
        return hypermodel.own_fit is not None
    return type(hypermodel).fit is not HyperModel.fit


def classifies(model: Any) -> bool:
    """Return whether a model says that it is a classifier."""
    from sklearn.base import is_classifier

    if not hasattr(model, "__sklearn_tags__"):  # not a scikit-learn estimator; before 1.8 asking brings a warning
        return False
    return bool(is_classifier(model))


def must_take(model: Any, names: Iterable[str]) -> None:
    """Raise `UsageError` for an argument of `search` that `model.fit` does not take: each trial would fail of it."""
    try:
        known = inspect.signature(model.fit).parameters
    except (AttributeError, TypeError, ValueError):  # it tells at the fit
        return
    if any(one.kind is one.VAR_KEYWORD for one in known.values()):
        return
    for name in names:
        if name not in known:
            meant = did_you_mean(name, known)
            raise UsageError(
                f"search({name}=...): {type(model).__name__}.fit takes no such argument{meant}; leave it out"
            )
