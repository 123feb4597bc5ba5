"""The folds of a `Tuner`'s trials: the same ones for every trial of a study, whatever `cv` draws at random."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

from hptune.errors import UsageError
from hptune.randomness import seed_for, seeded_globals
from hptune.study_arguments import shown

Fold = tuple[Any, Any]
"""The training and test rows (integer arrays)."""


class Folds:
    """Divides data once for each `cv`, X, y and groups (objects, not values), and keeps the last division."""

    def __init__(self) -> None:
        self._asked: tuple[Any, ...] = ()
        self._folds: list[Fold] = []
        self._listed: tuple[Any, list[Any]] | None = None

    def forget(self) -> None:
        """Divide anew next time, but read no iterator again: the data may have been changed in place."""
        self._asked, self._folds = (), []

    def of(self, cv: Any, X: Any, y: Any, groups: Any, *, classes: bool, seed: int) -> list[Fold]:
        """Return the folds of X, y (rows) and groups (rows, or None); `classes`: a number of folds is stratified.

        `cv` is left as it is, but for an iterator, which is read to its end. Raises `UsageError` for a `cv` that
        gives no folds, and what the splitter raises.
        """
        asked = (cv, X, y, groups)
        if not self._asked or any(one is not other for one, other in zip(asked, self._asked, strict=True)):
            with seeded_globals(seed_for(seed, "cv", "globals")):  # a splitter of the user's may draw from these
                self._folds = list(self._splitter(cv, y, classes, seed).split(X, y, groups))
            if not self._folds:
                raise UsageError(
                    f"cv: expected at least one fold, found none in {shown(cv)}; an iterator serves one Tuner only: "
                    f"give each list(...) of it, or the splitter itself"
                )
            self._asked = asked
        return self._folds

    def _splitter(self, cv: Any, y: Any, classes: bool, seed: int) -> Any:
        from sklearn.model_selection import check_cv

        known = cv is None or isinstance(cv, Integral) or hasattr(cv, "split") or isinstance(cv, Iterable)
        if not known or isinstance(cv, (str, bool)):
            raise UsageError(
                f"cv: expected a number of folds, a scikit-learn splitter such as KFold(5), or a list of (training "
                f"rows, test rows), found {shown(cv)}"
            )
        if isinstance(cv, Iterator):
            if self._listed is None or self._listed[0] is not cv:
                self._listed = (cv, list(cv))
            cv = self._listed[1]
        splitter = copy.copy(check_cv(cv, y, classifier=classes))
        state = getattr(splitter, "random_state", 0)
        if state is None:
            splitter.random_state = seed_for(seed, "cv", 0)
        elif not isinstance(state, Integral):  # a RandomState, which splitting would move on
            splitter.random_state = copy.deepcopy(state)
        return splitter


def undivided(cv: Any, error: Exception, *, groups: bool) -> str:
    """Return what to say of a `cv` that could not divide the rows, with or without groups."""
    said = str(error).rstrip(".")
    mend = "; groups are given as search(X, y, groups=...)" if "group" in said and not groups else ""
    return f"cv: the rows cannot be divided by {shown(cv)}: {said}{mend}"
