"""The problem as a worker has it: model, data, folds and metrics, each loaded when first needed and then kept."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from hptune import learning_curve
from hptune.conditions import Constraint, constraint_from_json
from hptune.cv import CvSpec, Rowset, TimeSeries, plain_folds
from hptune.data import data_from
from hptune.dataset import Dataset, DataSpec, Rows, Task, bad, without_classes
from hptune.evaluate import EvaluateSpec
from hptune.job import Setup
from hptune.model import EstimatorModel, ModelSpec
from hptune.models import model_from
from hptune.randomness import seed_for
from hptune.resource import Resource
from hptune.space import SearchSpace
from hptune.worker.child_state import lasting
from hptune.worker.division import undivided
from hptune.worker.growth import Growth
from hptune.worker.imports import Importer
from hptune.worker.labels import NUMBERED, encoded, wants_numbers
from hptune.worker.scoring import Scoring

if TYPE_CHECKING:
    from hptune.cv import Fold
    from hptune.worker.prefix import PrefixCache


@dataclass(frozen=True)
class Rest:
    """The unfitted rest of a pipeline, its fit's arguments, and X of the training and test rows as it is given them."""

    estimator: Any
    arguments: Mapping[str, Any]
    train: Any
    test: Any


class Problem:
    """What a `Setup` describes. Every property may raise `ConfigError`, naming the config key."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.data_seconds = 0.0
        """What reading the data took."""
        self.growth = Growth()
        self._fresh_splits: dict[int, list[Fold]] = {}

    @cached_property
    def prefixes(self) -> PrefixCache:
        """What leading steps made of the folds."""
        from hptune.worker.prefix import PrefixCache

        return PrefixCache()

    @cached_property
    def load(self) -> Importer:
        """Imports what the config names."""
        setup = self.setup
        return Importer(setup.folder, setup.allow_import, setup.own_code, setup.base)

    @cached_property
    def model(self) -> ModelSpec:
        """The model's options."""
        return model_from(self.setup.model)

    @cached_property
    def data(self) -> DataSpec | None:
        """The data's options."""
        return None if self.setup.data is None else data_from(self.setup.data)

    @cached_property
    def evaluate(self) -> EvaluateSpec:
        """How a configuration is measured."""
        return EvaluateSpec.model_validate(self.setup.evaluate)

    @cached_property
    def resource(self) -> Resource | None:
        """What trials may be given less of."""
        return Resource.from_json(self.setup.resource)

    @cached_property
    def declared(self) -> SearchSpace:
        """The space as the setup has it: the config's, or after an inspection the one to search."""
        return SearchSpace.from_json(self.setup.space)

    @cached_property
    def later(self) -> dict[str, Constraint]:
        """The constraints on what a hypermodel has yet to record, by their key path."""
        return {key: constraint_from_json(one) for key, one in self.setup.later.items()}

    @cached_property
    def _examined(self) -> SearchSpace:
        return self.model.examine(self.declared, self.load, self.later)[0]

    def space_for(self, values: Mapping[str, Any]) -> SearchSpace:
        """Return a space that has all of these names (a hypermodel's is recorded if the setup does not hold it)."""
        return self.declared if all(name in self.declared for name in values) else self._examined

    # -- estimators -------------------------------------------------------------------------------------------------

    @property
    def estimators(self) -> EstimatorModel:
        """The model, if it makes estimators; raises TypeError for one that measures itself."""
        if not isinstance(self.model, EstimatorModel):
            raise TypeError(f"a {self.model.key} model makes no estimators")
        return self.model

    def build(self, values: Mapping[str, Any]) -> Any:
        """Return an unfitted estimator for a configuration."""
        seed = seed_for(self.setup.seed, "model", 0)
        return self.estimators.build(values, space=self.space_for(values), seed=seed, load=self.load)

    def fit(self, values: Mapping[str, Any], rows: Rows, *, seed: int) -> Any:
        """Return an estimator for a configuration, fitted to these rows."""
        space = self.space_for(values)
        model, weights, y, classes = self.estimators, rows.weights, rows.y, None
        if not sys.modules.keys().isdisjoint(NUMBERED):
            unfitted = model.build(values, space=space, seed=seed, load=self.load)
            if wants_numbers(unfitted, y):
                y, classes = encoded(y)
        fitted = model.fit(values, rows.X, y, space=space, seed=seed, load=self.load, weights=weights)
        if classes is None:
            return fitted
        from hptune.worker.decoded import Decoded

        return Decoded(fitted, classes)

    def fit_for(
        self, values: Mapping[str, Any], fold: int, train: Rows, test: Rows, *, finals: str | None, seed: int
    ) -> tuple[Any, Any]:
        """Return an estimator fitted to a fold's training rows, and its test rows to score it on.

        Leading steps that no trial changes come from the cache where that changes nothing (`worker.prefix`); the
        estimator then is the rest of the pipeline, and the rows are what those steps made of them.
        """
        rest = self.rest_for(values, fold, train, test, finals=finals, seed=seed)
        if rest is None:
            return self.fit(values, train, seed=seed), test.X
        return rest.estimator.fit(rest.train, train.y, **rest.arguments), rest.test

    def rest_for(
        self,
        values: Mapping[str, Any],
        fold: int,
        train: Rows,
        test: Rows,
        *,
        finals: str | None,
        seed: int,
        tuned: frozenset[str] = frozenset(),
    ) -> Rest | None:
        """Return what is left of a pipeline to fit where its leading steps come from the cache, None where none do.

        `tuned` are parameters that change although the space fixes them.
        """
        space, model = self.space_for(values), self.estimators
        path, count = model.untuned(values, space, tuned)
        if count and not self.evaluate.train_score and sys.modules.keys().isdisjoint(NUMBERED):
            from sklearn.pipeline import Pipeline

            from hptune.worker.prefix import trusted

            whole = model.build(values, space=space, seed=seed, load=self.load)
            whole = model.prepared(whole, values, train.y)
            given = model.arguments(whole, values, train.weights)
            prefix = whole.steps[:count]
            alone = {name for name, _ in prefix}.isdisjoint(name.split("__")[0] for name in given)
            if type(whole) is Pipeline and alone and all(trusted(step) for _, step in prefix):
                key = (path, count, fold, finals)
                made = self.prefixes.through(key, Pipeline(prefix), train.X, train.y, test.X)
                if made is not None:
                    return Rest(Pipeline(whole.steps[count:]), given, *made)
        return None

    def task_of(self, y: Any) -> Task:
        """Return what is to be done: what the model is for, or if it does not say, what y (rows,) looks like."""
        if isinstance(self.model, EstimatorModel):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a hypermodel met no values, which is true
                kind = kind_of(self.build({}))
            if kind != "none":
                return kind
        if y.dtype.kind in "OUSb":
            return "classification"
        few = y.dtype.kind in "iu" and len(set(y.tolist())) <= 20
        return "classification" if few else "regression"

    # -- data and folds ---------------------------------------------------------------------------------------------

    @cached_property
    def dataset(self) -> Dataset:
        """The data, its holdout set apart."""
        if self.data is None:
            raise bad("data", f"a {self.model.key} model needs data: add `data: {{train: FILE.csv, target: COLUMN}}`")
        began = time.monotonic()
        loaded = self.load_data(self.data)
        self.data_seconds = time.monotonic() - began
        return loaded

    def must_hold(self, data: str) -> None:
        """Raise `ConfigError` unless the data has this content hash ("": any)."""
        if data and self.data is not None and self.dataset.hash != data:
            raise bad(
                "data",
                f"expected the rows that the study began with (content hash {data[:12]}), found others "
                f"({self.dataset.hash[:12]}): scores would not compare; put the data back and run again, or --fresh",
            )

    @property
    def aside(self) -> tuple[str, ...]:
        """The columns that the splitting reads and that are no features."""
        wanted = self.evaluate.cv
        return tuple(wanted.aside) if isinstance(wanted, CvSpec) else ()

    def load_data(self, data: DataSpec) -> Dataset:
        """Return the data, read anew."""
        wanted = self.evaluate.cv
        in_order = isinstance(wanted, CvSpec) and wanted.in_order
        with lasting():  # a function of the user's may make it
            found = data.load(
                self.setup.folder,
                seed=self.setup.seed,
                task=self.task_of,
                in_order=in_order,
                aside=self.aside,
                importer=self.load,
            )
        return found if self.setup.outer is None else self._outer(found, self.setup.outer)

    def _outer(self, found: Dataset, outer: Mapping[str, int]) -> Dataset:
        """Return the data of one outer fold: its rows are the holdout, the others are searched with."""
        folds, fold = outer["folds"], outer["fold"]
        rows = found.train
        classes = found.task == "classification"
        wanted = self.evaluate.cv
        in_order = isinstance(wanted, CvSpec) and wanted.in_order
        cv = (
            TimeSeries(folds=folds, gap=wanted.apart)
            if isinstance(wanted, CvSpec) and in_order
            else plain_folds(folds, classes=classes, groups=found.groups)
        )
        rowset = Rowset(
            y=rows.y, groups=rows.groups, classes=classes, aside=rows.aside, seed=seed_for(self.setup.seed, "outer")
        )
        try:
            kept, tested = cv.splits(rowset)[fold]
        except ValueError as error:
            held = _groups_in(found.holdout)
            raise bad(
                "evaluate.nested", undivided(cv, rowset, plain="nested", held_groups=held) or str(error)
            ) from None
        tag = f"{found.hash}/outer-{fold}-of-{folds}"
        return replace(found, train=rows.take(kept), holdout=rows.take(tested), hash=tag, consecutive=in_order)

    def outer_fold(self, folds: int, fold: int) -> Problem:
        """Return the problem of one outer fold with its rows' targets and groups but without X, for a look at its folds.

        Raises `ConfigError` where there are not so many.
        """
        whole = self.dataset
        bare = replace(whole, train=replace(whole.train, X=np.empty((len(whole.train), 0))))
        outer = {"folds": folds, "fold": fold}
        out = Problem(replace(self.setup, outer=outer))
        out.dataset = self._outer(bare, outer)  # what a cached property would read anew
        return out

    @cached_property
    def cv(self) -> CvSpec:
        """How the rows are divided into folds."""
        return self.evaluate.cv_for(classes=self.dataset.task == "classification", groups=self.dataset.groups)

    @property
    def rowset(self) -> Rowset:
        """What the splitting looks at: the rows to search with."""
        rows = self.dataset.train
        classes = self.dataset.task == "classification"
        return Rowset(y=rows.y, groups=rows.groups, classes=classes, aside=rows.aside, seed=self.setup.seed)

    @cached_property
    def splits(self) -> list[Fold]:
        """(training rows, test rows) of every fold, the same for every trial."""
        try:
            with warnings.catch_warnings():
                # "The least populated class has only ... members": the inspection says it, with the class's name.
                warnings.filterwarnings("ignore", message="The least populated class")
                return self.cv.splits(self.rowset)
        except ValueError as error:
            chooses = "stratify" in type(self.cv).model_fields and self.cv.stratifies(self.rowset)
            mend = without_classes(self.dataset.train.y) if chooses and not self.dataset.groups else ""
            plain = "cv" if isinstance(self.evaluate.cv, int) else "folds"
            held = _groups_in(self.dataset.holdout)
            mend = mend or undivided(self.cv, self.rowset, plain=plain, held_groups=held)
            raise bad("evaluate.cv", f"{self.cv.type}: {mend or error}") from None

    @cached_property
    def base_folds(self) -> int:
        """How many folds one repeat of the splitting has; of independent random splits, all of them."""
        return int(getattr(self.cv, "folds", len(self.splits)))

    @cached_property
    def refreshable(self) -> bool:
        """Whether another seed gives other folds, and not the same in another order.

        A time series and a given column of folds know only one division; so do as many groups as folds, or rows.
        """
        if not isinstance(self.model, EstimatorModel):
            return False
        first, second = ({np.sort(test).tobytes() for _, test in self._fresh(repeat)} for repeat in (0, 1))
        return first != second

    def _fresh(self, repeat: int) -> list[Fold]:
        if repeat not in self._fresh_splits:
            rows = replace(self.rowset, seed=seed_for(self.setup.seed, "finals", repeat))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The least populated class")
                self._fresh_splits[repeat] = self.cv.splits(rows)[: self.base_folds]
        return self._fresh_splits[repeat]

    def final_split(self, fold: int, *, half: bool = False) -> Fold:
        """Return (training rows, test rows) of a fold of the finals: fold number = repeat * base_folds + fold.

        `half`: only half of the training rows, of every class and of the groups.
        """
        repeat, number = divmod(fold, self.base_folds)
        train, test = self._fresh(repeat)[number]
        if not half:
            return train, test
        rows = self.rowset
        rng = np.random.default_rng(seed_for(self.setup.seed, "half", fold))
        classes = np.asarray(rows.y)[train] if rows.classes and rows.groups is None else None
        groups = None if rows.groups is None else np.asarray(rows.groups)[train]
        return learning_curve.half(np.asarray(train), rng, classes=classes, groups=groups), test

    @cached_property
    def scoring(self) -> Scoring:
        """The metrics."""
        return Scoring(self.evaluate, self.dataset.task, self.load)


def _groups_in(rows: Rows | None) -> int:
    """Return how many groups some rows have."""
    return 0 if rows is None or rows.groups is None else len(set(np.asarray(rows.groups).tolist()))


def kind_of(estimator: Any) -> Task:
    """Return what an estimator is for, "none" if it does not say."""
    from sklearn.base import is_classifier, is_regressor

    try:
        if is_classifier(estimator):
            return "classification"
        return "regression" if is_regressor(estimator) else "none"
    except (AttributeError, TypeError):  # an estimator that is not scikit-learn's, without tags
        return "none"


def is_clusterer(estimator: Any) -> bool:
    """Return whether an estimator says that it is for clustering."""
    from sklearn import base

    try:
        return bool(base.is_clusterer(estimator))
    except (AttributeError, TypeError):
        return False
