"""`Tuner`: configure, build, fit, evaluate, in a loop; the class to subclass, with `run_trial` as the override point.

It runs in this process, one trial after another, so models may be closures or lambdas. For trials in processes of
their own, with limits of time and memory, write a config and use `hptune run`.

    def build_model(hp):
        return Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))

    tuner = Tuner(build_model, objective="r2", max_trials=20)
    tuner.search(X, y)
    tuner.get_best_hyperparameters()[0].values
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hptune.errors import NoSuccess, StudyExhausted, UsageError
from hptune.history import History
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.journal import NAME as JOURNAL
from hptune.journal import TORN, locked, read
from hptune.objective import Objective
from hptune.oracle import OracleSpec
from hptune.oracles import ORACLES
from hptune.oracles.halving import Halving
from hptune.randomness import seed_for, seeded_globals
from hptune.recording import record
from hptune.replay import replay
from hptune.space import SearchSpace
from hptune.study import Study
from hptune.trial import Failure, Trial
from hptune.tuner_folds import Folds
from hptune.tuner_objective import OWN_SCORE, Scorer, must_score, objective_from, scorer_from


@dataclass(frozen=True)
class TunerTrial:
    """What `run_trial` gets: a trial's number, and its hyperparameters, which hand out the trial's values."""

    number: int
    hyperparameters: HyperParameters

    @property
    def trial_id(self) -> str:
        """The number as text with leading zeros, as in KerasTuner."""
        return f"{self.number:04d}"


class Tuner:
    """Tunes a hypermodel.

    `hypermodel` is a `HyperModel`, or a function `build(hp)` that returns a model; it may be left out by a subclass
    whose `run_trial` does everything (its first run, at the defaults, then tells the space). `objective` is an
    `Objective`, the name of a scikit-learn scorer, a scorer `(estimator, X, y)` (of `make_scorer` too; maximized, and
    known by its function's name), or None for the model's own `score`. `oracle` is a name or an
    oracle with its options; `seed` 0 is a seed, None draws one. With `directory` the study is kept and continued;
    `overwrite` starts over. `hyperparameters` holds definitions that take precedence over the model's; entries the
    model adds to them are searched too (`tune_new_entries`), run at their defaults (not tune), or are refused (not
    `allow_new_entries`).
    `executions_per_trial` runs each trial so many times, on the same folds with other seeds, and takes the mean. `cv`
    is what the default `run_trial` divides the rows by: a number of folds, a scikit-learn splitter, or the folds
    themselves; it is the same division for every trial, and what has no `random_state` draws from `seed`. After
    `max_consecutive_failed_trials` failures one after another the search ends with `NoSuccess`.

    Raises `UsageError` for an objective whose direction cannot be known, one that is no scorer where `run_trial` is
    the default, several, for neither hypermodel nor own `run_trial`, and for an oracle that gives trials shares of a
    resource.
    """

    def __init__(
        self,
        hypermodel: HyperModel | Callable[[HyperParameters], Any] | None = None,
        objective: Objective | str | Scorer | None = None,
        max_trials: int = 10,
        *,
        oracle: str | OracleSpec | Mapping[str, Any] | None = None,
        seed: int | None = 0,
        directory: str | Path | None = None,
        project_name: str | None = None,
        overwrite: bool = False,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        executions_per_trial: int = 1,
        max_consecutive_failed_trials: int = 10,
        cv: Any = 5,
    ) -> None:
        if hypermodel is None and type(self).run_trial is Tuner.run_trial:
            raise UsageError("expected a hypermodel, or a subclass with its own run_trial; found neither")
        for name, number in (("max_trials", max_trials), ("executions_per_trial", executions_per_trial)):
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise UsageError(f"{name}: expected a whole number above 0, found {number!r}")
        self.hypermodel = hypermodel
        self.objective = objective_from(objective)
        self.scorer = scorer_from(objective)
        if self.scorer is None and type(self).run_trial is Tuner.run_trial:
            must_score(self.objective)
        self.max_trials = max_trials
        self.oracle = _knows_no_shares(oracle)
        self.seed = seed
        self.executions_per_trial = executions_per_trial
        self.max_consecutive_failed_trials = max_consecutive_failed_trials
        self.cv = cv
        self.directory = None if directory is None else Path(directory, *([project_name] if project_name else []))
        self._given = hyperparameters
        self._tune_new = tune_new_entries
        self._allow_new = allow_new_entries
        self._space: SearchSpace | None = None
        self._history: History | None = None
        self._study: Study | None = None
        self._searched: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
        self._folds = Folds()
        self._classes: bool | None = None
        self._execution = 0
        if self.directory is not None and overwrite and self._kept():
            with locked(self.directory):
                for name in (JOURNAL, TORN):  # what else lies there is the user's
                    (self.directory / name).unlink(missing_ok=True)

    # -- the search -----------------------------------------------------------------------------------------------

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Run trials until `max_trials` have been run in all, those of earlier calls included.

        Arguments are handed to `run_trial` as they are.

        Raises `NoSuccess` when no trial succeeded or too many failed in a row, and the journal's errors.
        """
        self._searched = (args, kwargs)
        self._folds.forget()
        self._classes = None
        first: list[float] | Failure | None = None
        if self.hypermodel is None and self._space is None and self._kept():
            self._space = self.history.space
        if self.hypermodel is None and self._space is None:
            hp = self._given.copy() if self._given is not None else HyperParameters()
            first = self._executed(TunerTrial(0, hp), args, kwargs)
            if isinstance(first, Failure):
                detail = f"\n{first.traceback}" if first.traceback else ""
                raise NoSuccess(f"run_trial failed at the defaults: {first.message}{detail}")
            self._space = self._narrowed(hp.to_space())
        if self.directory is not None or self._study is None:
            self._study = Study(
                self.space, self.objective, self.oracle, self.seed, directory=self.directory, lookahead=1
            )
        with self._study as study:
            self._history = study.history
            while len(study.history.trials) < self.max_trials or study.unfinished:
                try:
                    trial = study.ask()
                except StudyExhausted:
                    break
                run = TunerTrial(trial.number, HyperParameters.from_values(self.space, trial.values))
                done = first if trial.number == 0 and first is not None else self._executed(run, args, kwargs)
                if isinstance(done, Failure):
                    study.tell(trial.number, failed=done.message, kind=done.kind)
                else:
                    study.tell(trial.number, done)
                self._check_failures(study.history)
        if study.history.best is None:
            raise NoSuccess(f"none of {len(study.history.trials)} trials succeeded; the last: {_last(study.history)}")

    def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
        """Build, fit and evaluate one configuration; return its score (a number, several, or a dict that holds it).

        The default takes `X, y` and either `validation_data=(X_valid, y_valid)` or cross-validates with `cv`; further
        arguments go to `fit`, those with an entry for each row (`sample_weight`) cut to the fold; `groups` go to the
        splitter. The score is the objective's scorer (with its own sign). Override it to do anything else: whatever you
        pass to `search` arrives here, and `trial.hyperparameters` hands out the trial's values.
        """
        validation, groups = kwargs.pop("validation_data", None), kwargs.pop("groups", None)
        hp = trial.hyperparameters
        if validation is not None:
            with self._seeded(0):
                return self._score(self._fitted(hp, *args, **kwargs), *validation)
        if len(args) != 2:
            raise UsageError(f"search: expected X and y (or override run_trial), found {len(args)} arguments")
        from sklearn.utils import indexable

        X, y = indexable(*args)  # sparse ones as csr: of coo no rows can be taken
        folds = self._folds.of(self.cv, X, y, groups, classes=self._for_classes(hp), seed=self._seed)
        scores = []
        for number, (train, valid) in enumerate(folds):
            fitted = {name: _rows(one, train) if _by_rows(one, len(y)) else one for name, one in kwargs.items()}
            with self._seeded(number):
                model = self._fitted(hp, _rows(X, train), _rows(y, train), **fitted)
                scores.append(self._score(model, _rows(X, valid), _rows(y, valid)))
        return scores

    def _executed(self, trial: TunerTrial, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[float] | Failure:
        """Return the scores of all executions of a trial, or the first failure."""
        scores: list[float] = []
        for execution in range(self.executions_per_trial):
            self._execution = execution
            try:
                scores += self._scores(self.run_trial(trial, *args, **kwargs))
                if trial.hyperparameters.first_met and not self._allow_new:
                    names = ", ".join(trial.hyperparameters.first_met)
                    raise UsageError(f"the model asks for {names}, and allow_new_entries is False")
            except _Invalid as error:
                return Failure("invalid", str(error))
            except UsageError:
                raise
            except Exception as error:
                return Failure("error", f"{type(error).__name__}: {error}", traceback.format_exc())
        return scores

    def _scores(self, returned: Any) -> list[float]:
        """Return what `run_trial` returned as a list of finite scores; raises `_Invalid` for anything else."""
        if isinstance(returned, Mapping):
            if self.objective.metric not in returned:
                raise _Invalid(
                    f"run_trial returned no {self.objective.metric!r}; it returned {', '.join(map(str, returned))}"
                )
            returned = returned[self.objective.metric]
        several = list(returned) if isinstance(returned, (list, tuple)) else [returned]
        out: list[float] = []
        for one in several:
            if isinstance(one, (str, bool)) or not hasattr(one, "__float__") or not math.isfinite(float(one)):
                raise _Invalid(f"expected a finite number as score, run_trial returned {one!r}"[:200])
            out.append(float(one))
        if not out:
            raise _Invalid("expected a score, run_trial returned an empty list")
        return out

    def _check_failures(self, history: History) -> None:
        view = history.view(everything=True)
        if view.failures_in_a_row >= self.max_consecutive_failed_trials:
            raise NoSuccess(f"{view.failures_in_a_row} trials failed one after another; the last: {_last(history)}")

    # -- randomness -----------------------------------------------------------------------------------------------

    @property
    def _seed(self) -> int:
        """The study's seed, which a folder may hold or a study have drawn."""
        return self._history.seed if self._history is not None else self.seed or 0

    def _seeded(self, fold: int) -> AbstractContextManager[None]:
        """Return a context in which models without `random_state` draw the same in each trial, as `hptune run` has it."""
        again = (self._execution,) if self._execution else ()
        return seeded_globals(seed_for(self._seed, "model", fold, *again))

    def _for_classes(self, hp: HyperParameters) -> bool:
        """Return whether a number of folds is stratified: told by the model at the defaults, for all trials alike."""
        if self._classes is None:
            defaults = HyperParameters.from_values(self.space, self.space.defaults())
            with self._seeded(0):
                try:
                    model = self._build(defaults)
                except Exception:  # it fails for some values: those trials are failed
                    model = self._build(hp)
            self._classes = _classifies(model)
        return self._classes

    # -- models ---------------------------------------------------------------------------------------------------

    def _build(self, hp: HyperParameters) -> Any:
        if self.hypermodel is None:
            raise UsageError("there is no hypermodel: run_trial builds the model itself")
        return self.hypermodel.build(hp) if isinstance(self.hypermodel, HyperModel) else self.hypermodel(hp)

    def _fitted(self, hp: HyperParameters, *args: Any, **kwargs: Any) -> Any:
        model = self._build(hp)
        if isinstance(self.hypermodel, HyperModel):
            self.hypermodel.fit(hp, model, *args, **kwargs)
        else:
            model.fit(*args, **kwargs)
        return model

    def _score(self, model: Any, X: Any, y: Any) -> Any:
        if self.scorer is not None:
            return self.scorer(model, X, y)
        if self.objective.metric == OWN_SCORE:
            return float(model.score(X, y))
        from sklearn.metrics import get_scorer

        return float(get_scorer(self.objective.metric)(model, X, y))

    @property
    def space(self) -> SearchSpace:
        """The space that is searched, recorded from the hypermodel on first use.

        Raises `UsageError` before `search` where only `run_trial` knows it, and for entries that are not allowed.
        """
        if self._space is None:
            if self.hypermodel is None:
                raise UsageError("the space is known after search() has run the first trial")
            self._space = self._narrowed(record(self._build, start=self._given, seed=self.seed or 0, failures="warn"))
        return self._space

    def _narrowed(self, found: SearchSpace) -> SearchSpace:
        if self._given is None:
            return found
        given = self._given.to_space()
        new = [parameter.name for parameter in found if parameter.name not in given]
        if new and not self._allow_new:
            raise UsageError(
                f"the model asks for {', '.join(new)}, which `hyperparameters` does not hold and allow_new_entries "
                f"forbids"
            )
        return found if self._tune_new else given

    # -- results --------------------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """All trials; raises `UsageError` before the first search (of a directory: before its first trial)."""
        if self._history is None and self.directory is not None and self._kept():
            self._history = replay(read(self.directory, packed=True).events)
        if self._history is None:
            raise UsageError("call search() first")
        return self._history

    def _kept(self) -> bool:
        return self.directory is not None and (self.directory / JOURNAL).is_file()

    def _ranked(self, count: int) -> list[Trial]:
        done = [trial for trial in self.history.trials if trial.completed]
        return sorted(done, key=lambda t: (self.objective.loss(t.score or 0.0), t.number))[:count]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the hyperparameters of the best trials, best first; each hands out its trial's values."""
        space = self.history.space
        return [HyperParameters.from_values(space, trial.values) for trial in self._ranked(num_trials)]

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """Return models of the best trials, built anew and fitted on the first two arguments given to `search`.

        Raises `UsageError` without a hypermodel, or when `search` was not called in this process.
        """
        args, kwargs = self._searched
        if len(args) < 2:
            raise UsageError("get_best_models fits on the X and y given to search(); call search(X, y, ...) first")
        rest = {key: value for key, value in kwargs.items() if key not in ("validation_data", "groups")}
        if type(self).run_trial is not Tuner.run_trial:
            rest = {}  # what an own run_trial does with them is its own affair
        models = []
        for hp in self.get_best_hyperparameters(num_models):
            with seeded_globals(seed_for(self._seed, "refit")):
                models.append(self._fitted(hp, args[0], args[1], **rest))
        return models

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials, best first, and how many failed."""
        lines = [f"Results: {self.objective.metric}, {self.objective.direction}d"]
        for rank, trial in enumerate(self._ranked(num_trials), start=1):
            spread = "" if trial.std is None else f" (std {trial.std:.4g})"
            lines.append(f"{rank:3d}. trial {trial.number}: {trial.score:.6g}{spread}")
            lines += [f"       {name}: {value!r}" for name, value in trial.values.items()]
        failed = self.history.count("failed")
        lines += [f"{failed} of {len(self.history.trials)} trials failed"] if failed else []
        sys.stdout.write("\n".join(lines) + "\n")

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the space; `extended` adds conditions."""
        lines = [f"Search space: {len(self.space)} hyperparameters"]
        for parameter in self.space:
            options = {k: v for k, v in parameter.to_json().items() if k not in ("name", "type", "when")}
            described = ", ".join(f"{key}={value}" for key, value in options.items())
            lines.append(f"  {parameter.name} ({parameter.type}) {described}")
            if extended and parameter.when:
                lines.append("    when " + " and ".join(str(condition) for condition in parameter.when))
        sys.stdout.write("\n".join(lines) + "\n")


def _knows_no_shares(
    oracle: str | OracleSpec | Mapping[str, Any] | None,
) -> str | OracleSpec | Mapping[str, Any] | None:
    """Return the oracle; raises `UsageError` for one that gives trials shares of a resource."""
    name = oracle.get("type") if isinstance(oracle, Mapping) else oracle
    kind = ORACLES.get(name) if isinstance(name, str) else type(oracle)
    if kind is not None and issubclass(kind, Halving):
        raise UsageError(
            f"oracle: {kind.model_fields['type'].default} gives trials shares of a resource, of which run_trial knows "
            f"nothing; take bayesian, tpe, random or grid, or ask a Study, whose trials tell their `fidelity`"
        )
    return oracle


class _Invalid(ValueError):
    """`run_trial` returned something that is no score."""


def _classifies(model: Any) -> bool:
    from sklearn.base import is_classifier

    try:
        return bool(is_classifier(model))
    except (AttributeError, TypeError):  # not a scikit-learn estimator
        return False


def _by_rows(value: Any, rows: int) -> bool:
    """Return whether an argument of `fit` has an entry for each row, such as `sample_weight`."""
    return not isinstance(value, (str, bytes, Mapping)) and hasattr(value, "__len__") and len(value) == rows


def _rows(data: Any, index: Any) -> Any:
    from sklearn.utils import _safe_indexing

    return _safe_indexing(data, index)


def _last(history: History) -> str:
    failed = [trial.failure for trial in history.trials if trial.failure is not None]
    return failed[-1].message if failed else "no failure recorded"
