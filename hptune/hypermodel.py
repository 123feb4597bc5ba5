"""`HyperModel`: a model and its search space in one class, as in KerasTuner."""

from __future__ import annotations

import functools
from typing import Any

from hptune.hyperparameters import HyperParameters


class HyperModel:
    """Override `build(hp)` to return a model, and `fit` if it is to be trained in another way than `model.fit(...)`.

    With `tunable=False` the hyperparameters that `build` meets stay out of the search: it works on a copy of `hp`, so
    that they have the values declared in advance or else their defaults.

        class MyModel(HyperModel):
            def build(self, hp):
                return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))
    """

    name: str | None = None
    tunable: bool = True

    def __init__(self, name: str | None = None, tunable: bool = True) -> None:
        self.name = name
        self.tunable = tunable

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in cls.__dict__:
            # Wrapped in the class, not in __init__, so that a subclass that forgets super().__init__() works too and
            # an instance can be pickled.
            cls.build = _respecting_tunable(cls.__dict__["build"])  # type: ignore[method-assign]

    def build(self, hp: HyperParameters) -> Any:
        """Return a model with the hyperparameters of `hp`; raises NotImplementedError unless overridden."""
        raise NotImplementedError(
            f"{type(self).__name__}.build(hp) is missing: override it to return a model, taking its settings from hp "
            '(such as hp.Float("alpha", 1e-3, 1e3, sampling="log"))'
        )

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Train the model and return what `model.fit(*args, **kwargs)` returns; override to do otherwise."""
        del hp
        return model.fit(*args, **kwargs)


def _respecting_tunable(build: Any) -> Any:
    """Return a method that calls `build`, a function or what `staticmethod` or `classmethod` made of one."""
    bare = isinstance(build, (staticmethod, classmethod))

    @functools.wraps(build.__func__ if bare else build)
    def wrapped(self: HyperModel, hp: HyperParameters, *args: Any, **kwargs: Any) -> Any:
        bound = build.__get__(self, type(self)) if bare else functools.partial(build, self)
        return bound(hp if self.tunable else hp.apart(), *args, **kwargs)

    return wrapped
