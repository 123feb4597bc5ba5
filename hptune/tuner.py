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

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hptune import tuner_kept, tuner_report
from hptune.errors import NoSuccess, StudyExhausted, UsageError
from hptune.history import History
from hptune.hypermodel import HyperModel
from hptune.hyperparameters import HyperParameters
from hptune.objective import Objective
from hptune.randomness import seed_for, seeded_globals
from hptune.recording import record
from hptune.report.inert import inert
from hptune.space import SearchSpace
from hptune.study import Study
from hptune.study_arguments import whole
from hptune.trial import Failure, Trial
from hptune.tuner_arguments import Oracle, counted, without_shares
from hptune.tuner_data import Given, cut, data_hash, folds_hash, given, rows
from hptune.tuner_folds import Fold, Folds, undivided
from hptune.tuner_model import classifies, has_own_fit, hypermodel_from, must_take
from hptune.tuner_objective import OWN_SCORE, Scorer, must_score, objective_from, scorer_from, scores_from
from hptune.worker.failures import failure_of


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

    `hypermodel` is a `HyperModel`, another object with such a `build(hp)`, or a function `build(hp)` that returns a model
    (the attribute is a `HyperModel` in any case); it may be left out by a subclass whose `run_trial` does everything.
    Where `run_trial` or the hypermodel's `fit` is the user's, the hyperparameters that the first run meets there, at the
    defaults, belong to the space. `objective` is an
    `Objective`, the name of a scikit-learn scorer, a scorer `(estimator, X, y)` (of `make_scorer` too; maximized, and
    known by its function's name), or None for the model's own `score`. `oracle` is a name or an
    oracle with its options; `seed` 0 is a seed, None draws one. With `directory` the study is kept and continued, with
    the data, folds and executions that it began with; `overwrite` starts over. `hyperparameters` holds definitions that
    take precedence over the model's; entries the model adds to them are searched too (`tune_new_entries`), run at their
    defaults (not tune), or are refused (not `allow_new_entries`).
    `executions_per_trial` runs each trial so many times, on the same folds with other seeds, and takes the mean. `cv`
    is what the default `run_trial` divides the rows by: a number of folds, a scikit-learn splitter, or the folds
    themselves; it is the same division for every trial, and what has no `random_state` draws from `seed`. After
    `max_consecutive_failed_trials` failures one after another the search ends with `NoSuccess`.

    Raises `UsageError` for an objective whose direction cannot be known, one that is no scorer where `run_trial` is
    the default, several, for neither hypermodel nor own `run_trial`, what is no hypermodel or number, an oracle that
    gives trials shares of a resource, and a directory to overwrite whose journal is none of hptune's.
    """

    def __init__(
        self,
        hypermodel: HyperModel | Callable[[HyperParameters], Any] | Any = None,
        objective: Objective | str | Scorer | None = None,
        max_trials: int = 10,
        *,
        oracle: Oracle = None,
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
        self.hypermodel = hypermodel_from(hypermodel)
        if self.hypermodel is None and not self._own_run_trial:
            raise UsageError("expected a hypermodel, or a subclass with its own run_trial; found neither")
        self.max_trials = counted("max_trials", max_trials)
        self.executions_per_trial = counted("executions_per_trial", executions_per_trial)
        most = counted("max_consecutive_failed_trials", max_consecutive_failed_trials)
        self.max_consecutive_failed_trials = most
        self.objective = objective_from(objective)
        self.scorer = scorer_from(objective)
        if self.scorer is None and not self._own_run_trial:
            must_score(self.objective)
        self.oracle = without_shares(oracle)
        self.seed = None if seed is None else whole("seed", seed, 0)
        self.cv = cv
        self.directory = None if directory is None else Path(directory, *([project_name] if project_name else []))
        self._name = project_name or "study"
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
        self._drawn = secrets.randbits(31)
        self._warned: set[str] = set()
        if self.directory is not None and overwrite:
            tuner_kept.start_over(self.directory)

    # -- the search -----------------------------------------------------------------------------------------------

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Run trials until `max_trials` have been run in all, those of earlier calls included.

        Arguments are handed to `run_trial` as they are. Trials that an earlier call left unfinished are run first.

        Raises `UsageError`, before a trial is run, for arguments that the default `run_trial` cannot use, and other ones
        than those a directory's study began with; `NoSuccess` when no trial succeeded or too many failed in a row, and
        the journal's errors.
        """
        self._searched = (args, kwargs)
        self._folds.forget()
        self._classes = None
        asked = self._asked(args, kwargs)
        held = self._held()
        first = None if held is not None or self._study is not None else self._first_run(args, kwargs, asked)
        if self.directory is not None or self._study is None:
            seed = self._seed if held is None else self.seed
            self._study = Study(
                *(self.space, self.objective, self.oracle, seed),
                directory=self.directory,
                lookahead=1,
                name=self._name,
                about={tuner_kept.KEY: asked},
            )
        ran = 0
        with self._study as study:
            self._history = study.history
            # Those of a directory `ask` hands out itself.
            left = [
                trial.number for trial in study.history.trials if trial.status == "running" and not self.directory
            ]
            while left or study.unfinished or len(study.history.trials) < self.max_trials:
                try:
                    trial = study.retry(left.pop(0)) if left else study.ask()
                except StudyExhausted:
                    break
                ran += 1
                done = first if trial.number == 0 and first is not None else self._run(trial, args, kwargs)
                if isinstance(done, Failure):
                    study.tell(trial, failed=done)
                else:
                    study.tell(trial, done)
                self._check_failures(study.history)
        if study.history.best is None:
            raise NoSuccess(tuner_report.no_success(study.history, ran, self.max_trials))

    def _asked(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what scores depend on besides the values, as a directory notes it.

        Raises `UsageError` for what the default `run_trial` cannot use, and for what a directory's study differs in.
        """
        data = None if self._own_run_trial else given(args, kwargs)
        folds = None
        if data is not None:
            self._must_fit(data.fit)
        if data is not None and data.validation is None:
            try:
                folds = self._divided(data, self._defaults())
            except UsageError:
                raise
            except Exception as error:  # the same for every trial
                raise UsageError(undivided(self.cv, error, groups=data.groups is not None)) from error
        if self.directory is None:
            return {}
        asked: dict[str, Any] = {"executions_per_trial": self.executions_per_trial, "data": data_hash(args, kwargs)}
        if folds is not None:
            asked["folds"] = folds_hash(folds)
        held = self._held()
        if held is not None:
            tuner_kept.check_same(held, self.directory, asked)
        return asked

    def _must_fit(self, arguments: Mapping[str, Any]) -> None:
        """Raise `UsageError` for an argument that the fit of the model at the defaults does not take."""
        if not arguments or self.hypermodel is None or has_own_fit(self.hypermodel):
            return
        try:
            with self._seeded(0):
                model = self._build(self._defaults())
        except Exception:  # it fails for some values: those trials are failed
            return
        must_take(model, arguments)

    def _first_run(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], asked: dict[str, Any]
    ) -> list[float] | Failure | None:
        """Return how a run at the defaults went, whose hyperparameters join the space; None where it can meet no new ones.

        Raises `NoSuccess` if it fails and nothing else tells the space.
        """
        if self.hypermodel is None:
            hp = self._given.copy() if self._given is not None else HyperParameters()
            first = self._executed(TunerTrial(0, hp), args, kwargs)
            if isinstance(first, Failure):
                raise NoSuccess(f"run_trial failed at the defaults: {tuner_report.told(first)}")
            self._space = self._narrowed(hp.to_space())
            return first
        if not (self._own_run_trial or has_own_fit(self.hypermodel)):
            return None
        hp = self._defaults()
        first = self._executed(TunerTrial(0, hp), args, kwargs)
        grown = self._narrowed(hp.to_space())
        asked["met"] = [one.name for one in grown if one.name not in self.space]
        self._space = grown
        return first

    @property
    def _own_run_trial(self) -> bool:
        return type(self).run_trial is not Tuner.run_trial

    def run_trial(self, trial: TunerTrial, *args: Any, **kwargs: Any) -> Any:
        """Build, fit and evaluate one configuration; return its score (a number, several, or a dict that holds it).

        The default takes `X, y` and either `validation_data=(X_valid, y_valid)` or cross-validates with `cv`; further
        arguments go to `fit`, those with an entry for each row (`sample_weight`) cut to the fold; `groups` go to the
        splitter. The score is the objective's scorer (with its own sign). Override it to do anything else: whatever you
        pass to `search` arrives here, and `trial.hyperparameters` hands out the trial's values.
        """
        hp, data = trial.hyperparameters, given(args, kwargs)
        if data.validation is not None:
            with self._seeded(0):
                return self._score(self._fitted(hp, *data.args, **data.fit), *data.validation)
        X, y = data.args
        scores = []
        for number, (train, valid) in enumerate(self._divided(data, hp)):
            fitted = cut(data.fit, train, data.rows)
            with self._seeded(number):
                model = self._fitted(hp, rows(X, train), rows(y, train), **fitted)
                scores.append(self._score(model, rows(X, valid), rows(y, valid)))
        return scores

    def _divided(self, data: Given, hp: HyperParameters) -> list[Fold]:
        X, y = data.args
        return self._folds.of(self.cv, X, y, data.groups, classes=self._for_classes(hp), seed=self._seed)

    def _run(self, trial: Trial, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[float] | Failure:
        """Return the scores of a trial, or its failure."""
        hp = HyperParameters.from_values(self.space, trial.values, expects_new=not self._tune_new)
        hp.warned = self._warned  # one warning a name for the search, not for each trial
        return self._executed(TunerTrial(trial.number, hp), args, kwargs)

    def _executed(self, trial: TunerTrial, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[float] | Failure:
        """Return the scores of all executions of a trial, or the first failure."""
        scores: list[float] = []
        for execution in range(self.executions_per_trial):
            self._execution = execution
            try:
                scores += scores_from(self.run_trial(trial, *args, **kwargs), self.objective.metric)
            except UsageError:
                raise
            except Exception as error:
                return failure_of(error)
            if trial.hyperparameters.first_met and not self._allow_new:
                names = ", ".join(trial.hyperparameters.first_met)
                raise UsageError(f"the model asks for {names}, and allow_new_entries is False")
        return scores

    def _check_failures(self, history: History) -> None:
        failed = history.view(everything=True).failures_in_a_row
        if failed >= self.max_consecutive_failed_trials:
            last = tuner_report.last_failure(history)
            raise NoSuccess(f"{failed} trials failed one after another; the last: {last}")

    # -- randomness -----------------------------------------------------------------------------------------------

    @property
    def _seed(self) -> int:
        """The study's seed, which a folder may hold or this search have drawn."""
        held = self._held()
        if held is not None:
            return held.seed
        return self._drawn if self.seed is None else self.seed

    def _seeded(self, fold: int) -> AbstractContextManager[None]:
        """Return a context in which models without `random_state` draw the same in each trial, as `hptune run` has it."""
        again = (self._execution,) if self._execution else ()
        return seeded_globals(seed_for(self._seed, "model", fold, *again))

    def _for_classes(self, hp: HyperParameters) -> bool:
        """Return whether a number of folds is stratified: told by the model at the defaults, for all trials alike."""
        if self._classes is None:
            with self._seeded(0):
                try:
                    model = self._build(self._defaults())
                except Exception:  # it fails for some values: those trials are failed
                    model = self._build(hp)
            self._classes = classifies(model)
        return self._classes

    # -- models ---------------------------------------------------------------------------------------------------

    def _defaults(self) -> HyperParameters:
        """Return the hyperparameters at their defaults, for a model that may ask for more."""
        return HyperParameters.from_values(self.space, self.space.defaults(), expects_new=True)

    def _build(self, hp: HyperParameters) -> Any:
        if self.hypermodel is None:
            raise UsageError("there is no hypermodel: run_trial builds the model itself")
        return self.hypermodel.build(hp)

    def _fitted(self, hp: HyperParameters, *args: Any, **kwargs: Any) -> Any:
        model = self._build(hp)
        if self.hypermodel is not None:
            self.hypermodel.fit(hp, model, *args, **kwargs)
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
        """The space that is searched: a kept study's, else recorded from the hypermodel on first use.

        The first run of `search` may add to it. Raises `UsageError` before `search` where only `run_trial` knows it, and
        for entries that are not allowed.
        """
        if self._space is None:
            held = self._held()
            if self.hypermodel is None and held is None:
                raise UsageError("the space is known after search() has run the first trial")
            if self.hypermodel is None and held is not None:
                self._space = held.space
            else:
                found = record(self._build, start=self._given, seed=self.seed or 0, failures="warn")
                found = self._narrowed(found)
                self._space = found if held is None else tuner_kept.with_met(found, held)
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
        held = self._held()
        if held is None:
            raise UsageError("call search() first")
        return held

    def __repr__(self) -> str:
        told = f"{self._name!r}: no search yet" if self._history is None else self._history.told
        return f"<{type(self).__name__} {told}>"

    def _held(self) -> History | None:
        """Return what is known so far, of a directory too; None before the first trial."""
        if self._history is None:
            self._history = tuner_kept.kept(self.directory)
        return self._history

    def _ranked(self, count: int) -> list[Trial]:
        done = [trial for trial in self.history.trials if trial.completed]
        return sorted(done, key=lambda t: (self.objective.loss(t.score or 0.0), t.number))[:count]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the hyperparameters of the best trials, best first; each hands out its trial's values."""
        space = self.history.space
        quiet = not self._tune_new
        return [HyperParameters.from_values(space, t.values, expects_new=quiet) for t in self._ranked(num_trials)]

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
        lines = tuner_report.results(self.history, self._ranked(num_trials))
        sys.stdout.write(inert("\n".join(lines) + "\n"))

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the space; `extended` adds conditions."""
        lines = tuner_report.described(self.space, extended=extended)
        sys.stdout.write(inert("\n".join(lines) + "\n"))
