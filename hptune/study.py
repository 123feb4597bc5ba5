"""`Study`: ask for a configuration, tell its score. The library user's door; the command line goes through the same.

A study owns its history, its oracle and, with a directory, its journal; it knows nothing of workers or futures.

    study = Study(space, Objective("loss", "minimize"), oracle="random", seed=0)
    trial = study.ask()
    study.tell(trial.number, 0.31)
    study.best.values
"""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, SupportsFloat, TypeVar, cast

from hptune import events as ev
from hptune.consult import consult
from hptune.errors import DirectoryUnusable, StudyExhausted, UsageError
from hptune.history import History, IllegalEvent
from hptune.hyperparameters import HyperParameters
from hptune.journal import Journal
from hptune.objective import Objective
from hptune.oracle import EXHAUSTED, WAIT, Answer, OracleSpec
from hptune.oracles import ORACLES
from hptune.owned import fresh, owned
from hptune.parameters import UNSET, Unset
from hptune.replay import replay
from hptune.space import SearchSpace
from hptune.study_arguments import (
    about_of,
    changes,
    distinct_starts,
    failure_told,
    finite,
    must_be_fit,
    numbers_of,
    oracle_named,
    shown,
    starts_of,
    whole,
)
from hptune.threads import one_thread
from hptune.trial import Failure, FailureKind, Measurement, Suggestion, Trial, Values

Observer = Callable[[ev.Event, History], None]

P = ParamSpec("P")
R = TypeVar("R")


def _alone(method: Callable[Concatenate[Study, P], R]) -> Callable[Concatenate[Study, P], R]:
    """Make threads that share a study go through this method one after another."""

    @functools.wraps(method)
    def alone(self: Study, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._lock:
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[Study, P], R]", alone)


class Study:
    """A tuning study in memory, or kept in `directory`; threads may share it.

    Arguments: `space` (a `SearchSpace` or the `HyperParameters` that recorded one), `objective` (or the name of a
    metric that tells its direction: a scikit-learn scorer, `val_loss`), `oracle` (a name, or with options `{"type":
    "tpe", "startup": 20}`; None is auto), `seed` (0 where it is left out, None draws one), `starts` (configurations to
    try before the oracle is asked; the defaults always come first), `lookahead` (trial k knows the results of trials
    up to k - lookahead; None: all that were told), `about` (plain data to keep with the study). A directory that holds
    a study is continued, with that study's `starts`, `lookahead`, `name` and `about`, and with its oracle and seed
    where none is given. Raises `UsageError` for arguments that it cannot use, a directory of `hptune run`, or a space,
    objective, oracle or seed that differs from the directory's, ValueError for a start outside the space, and the
    journal's errors.
    """

    history: History
    oracle: OracleSpec
    resumed: bool

    def __init__(
        self,
        space: SearchSpace | HyperParameters,
        objective: Objective | str,
        oracle: str | OracleSpec | Mapping[str, Any] | None = None,
        seed: int | Unset | None = UNSET,
        *,
        directory: str | Path | None = None,
        starts: Iterable[Values] = (),
        lookahead: int | None = None,
        name: str = "study",
        about: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if isinstance(space, HyperParameters):
            space = space.to_space()
        if not isinstance(space, SearchSpace):
            raise UsageError(f"space: expected hptune.SearchSpace([...]) or HyperParameters, found {shown(space)}")
        if isinstance(objective, str):
            objective = Objective.named(objective)
        if not isinstance(objective, Objective):
            raise UsageError(f"objective: expected hptune.Objective(metric, direction), found {shown(objective)}")
        must_be_fit(space, objective)
        policy = oracle_named("auto" if oracle is None else oracle)
        given = 0 if isinstance(seed, Unset) else seed
        started = ev.StudyStarted(
            time=clock(),
            name=name,
            metric=objective.metric,
            direction=objective.direction,
            space=space.to_json(),
            seed=secrets.randbits(31) if given is None else whole("seed", given, 0),
            lookahead=None if lookahead is None else whole("lookahead", lookahead, 1),
            starts=distinct_starts(space, starts_of(starts)),
            oracle=policy.model_dump(mode="json"),
            hashes={"space": space.hash},
            about=about_of(about or {}),
        )
        journal = None if directory is None else Journal(Path(directory))
        self._take(started, policy, journal, clock)
        if self.resumed:
            try:
                self._must_hold(
                    started,
                    where=directory,
                    oracle=oracle is not None,
                    seed=not (seed is None or isinstance(seed, Unset)),
                )
            except BaseException:
                self.close()
                raise

    def _must_hold(self, asked: ev.StudyStarted, *, where: object, oracle: bool, seed: bool) -> None:
        """Raise `UsageError` unless the study that the directory `where` holds is the one asked for.

        `oracle` and `seed` say whether they were named; what was not is that of the study it holds.
        """
        held = self.history.started
        if held.config:  # scores of another measurement would be ranked among those of its folds
            raise UsageError(
                f"{where} belongs to `hptune run`; read it with `hptune show {where}`, or take another directory"
            )
        if not seed:
            asked = asked.model_copy(update={"seed": held.seed})
        if not oracle and held.oracle.get("type") in ORACLES:
            self.oracle = oracle_named(held.oracle)
            asked = asked.model_copy(update={"oracle": self.oracle.model_dump(mode="json")})
        differs = changes(held, asked, self.oracle)
        if differs:
            raise UsageError(
                f"{where} holds a study of another {'; '.join(differs)}. "
                "Take another directory, or ask for what this one holds"
            )

    @classmethod
    def of(
        cls,
        started: ev.StudyStarted,
        oracle: OracleSpec,
        journal: Journal | None,
        clock: Callable[[], float] = time.time,
    ) -> Study:
        """Return the study that `started` begins, or that the journal holds already (then `started` is not used)."""
        study = cls.__new__(cls)
        study._take(started, oracle, journal, clock)
        return study

    def _take(
        self, started: ev.StudyStarted, oracle: OracleSpec, journal: Journal | None, clock: Callable[[], float]
    ) -> None:
        self.oracle = oracle
        self.journal = journal
        self.observers: list[Observer] = []
        self._clock = clock
        self._lock = threading.RLock()
        self.resumed = journal is not None and bool(journal.events)
        self._closed = False
        self._unfinished: list[int] = []
        if journal is not None and journal.events:
            try:
                self.history = replay(journal.events, journal.path)
            except BaseException:
                journal.close()
                raise
            self._unfinished = [trial.number for trial in self.history.trials if trial.status == "running"]
            return
        self.history = History(started)
        if journal is not None:
            try:
                journal.append(started)
                journal.sync()
            except BaseException:
                journal.close()
                raise

    # -- ask and tell ---------------------------------------------------------------------------------------------

    @property
    def best(self) -> Trial | None:
        """The completed trial with the best mean score; of equals, the first."""
        best = self.history.best
        return None if best is None else best.handed_out()

    @property
    def unfinished(self) -> bool:
        """Whether `ask` will first hand out trials that an earlier session left unfinished."""
        return any(self.history.trials[number].status == "running" for number in self._unfinished)

    @_alone
    def ask(self) -> Trial:
        """Return a trial to evaluate: first those that an earlier session left unfinished, then a new one.

        Raises `StudyExhausted` when nothing is left to try, and `UsageError` when the oracle (or a lookahead) needs
        results that were not told yet, or when a study kept in a directory is closed.
        """
        while self._unfinished:
            number = self._unfinished.pop(0)
            if self.history.trials[number].status == "running":  # it may have been told meanwhile
                again = self.retry(number)
                self.sync()
                return again
        trial = self.next()
        if trial is EXHAUSTED:
            whole = "every configuration of the space has been tried"
            raise StudyExhausted(whole if self.history.used_up else "the oracle has nothing left to suggest")
        if isinstance(trial, Answer):
            running = [t.number for t in self.history.trials if t.status == "running"]
            raise UsageError(f"tell the result of trials {running} before asking for the next")
        self.sync()
        return trial

    @_alone
    def tell(
        self,
        number: int | Trial,
        score: SupportsFloat | Iterable[SupportsFloat] | Mapping[str, Any] | None = None,
        *,
        failed: str | BaseException | Failure | None = None,
        kind: FailureKind = "error",
    ) -> Trial:
        """Record a trial's score, one score per fold (or a dict that holds it by the metric's name), or why it `failed` (an
        exception or a `Failure` says it, with its traceback); durable when this returns.

        `number` is the trial's, or the trial that `ask` returned. A failure to write leaves the trial running. NaN
        and infinity make it failed (kind "invalid"). Raises UsageError when neither or both of `score` and `failed` are
        given, for what is no number or not as many as the study has folds (the trial stays open), or when a kept study is
        closed, and ValueError (`IllegalEvent`) for a trial that is not running.
        """
        number = whole("number", number.number if isinstance(number, Trial) else number)
        if (score is None) == (failed is None):
            raise UsageError("tell() takes either a score or failed='why'")
        if failed is not None:
            self.fail(number, failure_told(failed, kind))
        else:
            self._must_run(number)
            scores = numbers_of(score, self.history.objective.metric)
            wrong = [one for one in scores if not finite(one)]
            folds = self.history.trials[number].folds
            if folds and len(scores) != folds:
                raise UsageError(f"expected {folds} scores, one per fold, found {len(scores)}")
            if wrong:
                self.fail(
                    number, Failure("invalid", f"expected finite numbers as score, found {repr(wrong[0])[:80]}")
                )
            else:
                # After a crash in the middle of a tell, some of its folds are known already.
                known = {m.fold for m in self.history.trials[number].measurements}
                for fold, one in ((f, s) for f, s in enumerate(scores) if f not in known):
                    self.score(number, Measurement(fold=fold, score=float(one)))
                self.complete(number)
        self.sync()
        return self.history.trials[number].handed_out()

    def _must_run(self, number: int) -> None:
        trials = self.history.trials
        if not 0 <= number < len(trials):
            raise IllegalEvent(f"trial {number} was never started")
        if trials[number].status != "running":
            raise IllegalEvent(f"trial {number} is {trials[number].status} already")

    # -- the same in small steps, for the loop --------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether all results are in that the next trial must know."""
        history = self.history
        lookahead = history.lookahead
        return lookahead is None or history.finished_until() >= len(history.trials) - lookahead + 1

    @property
    def continues(self) -> bool:
        """Whether something that has begun is worth continuing although no new configuration may begin."""
        return self.ready and not isinstance(self._suggest(len(self.history.trials), finish=True), Answer)

    @_alone
    def next(self, *, finish: bool = False) -> Trial | Answer:
        """Begin and return the next trial; WAIT while results are outstanding that it must know; EXHAUSTED.

        With `finish` no new configuration begins: what began at a lower fidelity may be continued.
        """
        history = self.history
        k = len(history.trials)
        if not self.ready:
            return WAIT
        suggestion = self._suggest(k, finish=finish)
        if isinstance(suggestion, Answer):
            return suggestion
        self._record(
            ev.TrialStarted(
                time=self._clock(),
                trial=k,
                values=owned(suggestion.values),
                fidelity=suggestion.fidelity,
                parent=suggestion.parent,
                origin=suggestion.origin,
                note=fresh(dict(suggestion.note)) if suggestion.note else None,
                predicted=suggestion.predicted,
            )
        )
        return self.history.trials[k].handed_out()

    def _suggest(self, k: int, *, finish: bool = False) -> Suggestion | Answer:
        history = self.history
        if k < len(history.starts):
            given = len(history.starts) - (history.started.prior_starts or 0)
            origin = "default" if k == 0 else "start" if k < given else "prior"
            return EXHAUSTED if finish else Suggestion(history.starts[k], origin=origin)
        with one_thread():
            return consult(self.oracle, history, k, finish=finish)

    @_alone
    def retry(self, number: int) -> Trial:
        """Begin another attempt at a running trial (interrupted, or failed and to be retried), or at an ended one.

        One that failed for good begins from its first fold, one that was raced out goes on to its last; that is noted, so
        that a repair knows it where the record of its stop is lost.
        """
        trial = self.history.trials[number]
        self._record(
            ev.TrialStarted(
                time=self._clock(),
                trial=number,
                values=owned(trial.values),
                attempt=trial.attempt + 1,
                fidelity=trial.fidelity,
                parent=trial.parent,
                origin=trial.origin,
                note=dict(ev.RECALLED) if trial.ended == "stopped" else None,
            )
        )
        return self.history.trials[number].handed_out()

    def score(self, number: int, measurement: Measurement, worker: str = "") -> None:
        """Record one fold's measurement."""
        self._record(
            ev.FoldScored(
                time=self._clock(),
                trial=number,
                fold=measurement.fold,
                score=measurement.score,
                train_score=measurement.train_score,
                metrics=dict(measurement.metrics) or None,
                fit_seconds=measurement.fit_seconds,
                score_seconds=measurement.score_seconds,
                continued=measurement.continued,
                worker=worker,
            )
        )

    def report(self, number: int, fold: int, step: float, value: float) -> None:
        """Record a value that a model reported on the way."""
        self._record(ev.Reported(time=self._clock(), trial=number, fold=fold, step=step, value=value))

    def complete(self, number: int) -> None:
        """Record that all folds of a trial are measured."""
        self._record(ev.TrialCompleted(time=self._clock(), trial=number))

    def fail(self, number: int, failure: Failure, *, final: bool = True, seconds: float | None = None) -> None:
        """Record a failure, and what it took; one that is not `final` is followed by `retry`."""
        self._record(
            ev.TrialFailed(
                time=self._clock(),
                trial=number,
                kind=failure.kind,
                message=failure.message,
                traceback=failure.traceback,
                final=final,
                seconds=seconds,
            )
        )

    def stop(self, number: int, reason: str) -> None:
        """Record that a trial was given up."""
        self._record(ev.TrialStopped(time=self._clock(), trial=number, reason=reason))

    def final(self, number: int, measurement: Measurement, worker: str = "", *, half: bool = False) -> None:
        """Record a finalist's measurement on one fold of the finals, on half of its training rows or on all."""
        self._record(
            ev.FinalScored(
                time=self._clock(),
                trial=number,
                fold=measurement.fold,
                half=half or None,
                score=measurement.score,
                metrics=dict(measurement.metrics) or None,
                fit_seconds=measurement.fit_seconds,
                score_seconds=measurement.score_seconds,
                worker=worker,
            )
        )

    def choose(
        self,
        number: int,
        *,
        finalists: Sequence[int],
        folds: int,
        rule: str,
        gain: Mapping[str, float | None],
        optimism: float,
        refit_gain: float | None = None,
    ) -> None:
        """Record the finals' verdict; `best` is this trial from now on, until a further trial begins."""
        self._record(
            ev.WinnerChosen(
                time=self._clock(),
                trial=number,
                finalists=list(finalists),
                folds=folds,
                rule=rule,
                gain=dict(gain),
                optimism=optimism,
                refit_gain=refit_gain,
            )
        )

    def holdout(
        self, number: int, scores: Mapping[str, float], gain: Mapping[str, float | None] | None = None
    ) -> None:
        """Record a completed trial's scores on the holdout; with the winner's, its gain over the defaults there."""
        told = None if gain is None else dict(gain)
        self._record(ev.HoldoutScored(time=self._clock(), trial=number, scores=dict(scores), gain=told))

    def resume(self, options: Mapping[str, Any]) -> None:
        """Record that a new session of a kept study begins."""
        self._record(ev.StudyResumed(time=self._clock(), options=dict(options)))

    def end(self, reason: str, *, at: float | None = None) -> None:
        """Record that this session is over; `at` is when its work was, if that was earlier."""
        self._record(ev.StudyEnded(time=self._clock() if at is None else at, reason=reason))
        self.sync()

    @_alone
    def _record(self, event: ev.Event) -> None:
        """Check, write, take in: an event that is illegal or cannot be written leaves no trace."""
        if self._closed:
            kept = (
                "" if self.journal is None else f"; Study(..., directory={str(self.journal.folder)!r}) continues it"
            )
            raise UsageError(f"the study is closed{kept}")
        self.history.check(event)
        if self.journal is None:
            self.history.apply(event)
        else:
            try:
                self.journal.append(event)
                self.history.apply(event)
            except DirectoryUnusable:
                raise  # nothing was written
            except BaseException:  # Ctrl-C in between: memory and disk may differ by this event
                self.journal.give_up("it was interrupted in the middle of a record; open the study again")
                raise
        for observe in self.observers:
            observe(event, self.history)

    def sync(self) -> None:
        """Force what was recorded to the disk."""
        if self.journal is not None:
            self.journal.sync()

    def close(self) -> None:
        """Let go of the directory, and take no more; harmless when called twice, and for a study in memory."""
        if self.journal is not None:
            self._closed = True
            self.journal.close()

    def __repr__(self) -> str:
        return f"<Study {self.history.told}>"

    def __getstate__(self) -> dict[str, Any]:
        if self.journal is not None:
            raise TypeError(
                "a study kept in a directory cannot be copied or pickled: open the directory with Study()"
            )
        return {name: found for name, found in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        self.close()
        return False
