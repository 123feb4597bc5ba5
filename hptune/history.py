"""All that is known of a study: the fold of its events, and views of it as a policy may see it.

`History` only grows. `view(k)` is what trial k may know: under `order: strict` the results of trials up to
k - lookahead, everything later counting as pending *even when its result is known*, so that what is decided never
depends on timing. A view costs O(1) to make.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hptune import events as ev
from hptune.objective import Objective
from hptune.owned import fresh
from hptune.space import SearchSpace
from hptune.trial import Failure, Lent, Measurement, Trial, Values

TEST_SHARE = 0.25
"""Rows that judge over rows that fit where a study does not say, as in five folds."""


_NAMED = ("stopped", "failed", "running")
"""Trials of such a status are counted by name; the others are completed."""


class IllegalEvent(ValueError):
    """An event that cannot follow what happened before it."""


class History:
    """The fold of a study's events.

    `trials` is indexed by trial number and to be read only (`Trial.handed_out` copies). `apply` raises `IllegalEvent`
    before changing anything; `check` only that.
    """

    def __init__(self, started: ev.StudyStarted) -> None:
        self.started = started
        self.name = started.name
        """What the study is called now: each session says it, and may change it."""
        self.space = SearchSpace.from_json(started.space)
        self.objective = Objective(started.metric, started.direction)
        self.seed = started.seed
        self.lookahead = started.lookahead
        self.starts: tuple[Values, ...] = tuple(started.starts)
        self.trials: list[Trial] = []
        self.holdout: dict[int, list[dict[str, float]]] = {}
        self.holdout_uses = 0
        """How many winners were scored on the holdout; above one it is no longer quite fresh."""
        self.holdout_gains: dict[int, dict[str, float | None]] = {}
        self.finals: dict[int, tuple[Measurement, ...]] = {}
        """What finalists scored on the finals' fresh folds, by trial number."""
        self.halves: dict[int, tuple[Measurement, ...]] = {}
        """The same of models fitted on half of the training rows."""
        self.winner: ev.WinnerChosen | None = None
        """The finals' verdict; None before them, and again once a further trial has begun."""
        self.reports: dict[int, list[tuple[int, float, float]]] = {}
        self.told_end: str | None = None
        """The stop reason that this session told, None before; `ended` says whether the session came to that."""
        self._after_end = False
        self.in_finals = False
        """Whether finals have begun that no verdict and no further trial ended."""
        self.resumed: list[ev.StudyResumed] = []
        self.retried: set[int] = set()
        """Trials that failed for good and were begun again later: what was chosen meanwhile knew of the failure."""
        self.failures: dict[int, int] = {}
        """How often running trials have failed and were to be tried again, by number; what was interrupted did not fail,
        and one that `retried` holds has failed only since."""
        self.recalled: dict[int, Trial] = {}
        """Raced-out trials whose folds are completed after the search, as they were when they were given up: what
        the search knows of them, should it go on."""
        self.reopenings = 0
        """How often a trial that had ended was begun again; memos of ended trials hold while this stays the same."""
        self.ended_promotions = 0
        """How many of the ended trials continue another one at a higher fidelity."""
        self._counts: Counter[str] = Counter()  # trials by status
        self._first_of: dict[str, int] = {}
        self._first_at: dict[tuple[str, float | None], int] = {}
        self._configurations: list[int] = [0]
        self._lower: list[int] = [0]
        self._prefix: list[tuple[int | None, int]] = [(None, 0)]  # best and failures in a row of the first i trials
        self._rows = np.empty((0, len(self.space.columns)))
        self._known_rows = 0
        self._session = started.time
        self._before = 0.0
        self.last_time = started.time
        self.best_number: int | None = None

    @property
    def told(self) -> str:
        """The study in a few words: its name, how many trials have which status, the best score."""
        count, best = len(self.trials), self.best
        kinds = ", ".join(f"{self.count(one)} {one}" for one in _NAMED if self.count(one))
        trials = f"{count} trial{'' if count == 1 else 's'}" + (f" ({kinds})" if kinds else "")
        score = "" if best is None else f", best {self.objective.metric} {best.score:.6g} in trial {best.number}"
        return f"{self.name!r}: {trials}{score}"

    def __repr__(self) -> str:
        return f"<History {self.told}>"

    @property
    def test_share(self) -> float:
        """Rows that judge over rows that fit, the n2/n1 of `hptune.statistics`."""
        return float(self.started.about.get("test_share") or TEST_SHARE)

    # -- events -------------------------------------------------------------------------------------------------

    def check(self, event: ev.Event) -> None:
        """Raise `IllegalEvent` unless the event can follow."""
        if isinstance(event, ev.TrialStarted):
            self._check_started(event)
            return
        number = getattr(event, "trial", None)
        if number is None:
            if isinstance(event, ev.StudyStarted):
                raise IllegalEvent("a study starts once")
            return
        if not 0 <= number < len(self.trials):
            raise IllegalEvent(f"trial {number} was never started")
        trial = self.trials[number]
        if isinstance(event, (ev.HoldoutScored, ev.FinalScored, ev.WinnerChosen)):
            if not trial.completed:
                raise IllegalEvent(f"trial {number} is {trial.status}, not completed ({event.type})")
            if isinstance(event, ev.FinalScored):
                known = self.halves if event.half else self.finals
                if event.fold in {m.fold for m in known.get(number, ())}:
                    raise IllegalEvent(f"trial {number}: fold {event.fold} of the finals was measured before")
            return
        if trial.status != "running":
            raise IllegalEvent(f"trial {number} is {trial.status} already")
        measured = {m.fold for m in trial.measurements}
        if isinstance(event, ev.FoldScored):
            if event.fold in measured:
                raise IllegalEvent(f"trial {number}: fold {event.fold} was measured before")
            if event.fold < 0 or (trial.folds and event.fold >= trial.folds):
                raise IllegalEvent(f"trial {number} has {trial.folds} folds, found fold {event.fold}")
        if isinstance(event, ev.TrialCompleted) and len(measured) < max(trial.folds, 1):
            raise IllegalEvent(f"trial {number} has {len(measured)} of {trial.folds} folds measured")

    def _check_started(self, event: ev.TrialStarted) -> None:
        if event.trial == len(self.trials):
            if event.attempt != 1:
                raise IllegalEvent(f"trial {event.trial} starts with attempt {event.attempt}")
            return
        if not 0 <= event.trial < len(self.trials):
            raise IllegalEvent(f"expected trial {len(self.trials)} next, found {event.trial}")
        trial = self.trials[event.trial]
        again = trial.status in ("running", "failed", "stopped") and event.attempt == trial.attempt + 1
        if not again or dict(trial.values) != event.values:
            raise IllegalEvent(f"trial {event.trial} cannot start again (it is {trial.status})")

    def apply(self, event: ev.Event) -> None:
        """Take in one event; raises `IllegalEvent` and changes nothing if it cannot follow."""
        self.check(event)
        if isinstance(event, ev.StudyResumed):
            self._resume(event)
            return
        self.last_time = max(self.last_time, event.time)
        if self.told_end is not None and self._is_after_search(event):
            self._after_end = True
        match event:
            case ev.TrialStarted():
                self._begin(event)
            case ev.FoldScored():
                trial = self.trials[event.trial]
                self._put(trial.changed(measurements=(*trial.measurements, _measured(event))))
            case ev.Reported():
                self.reports.setdefault(event.trial, []).append((event.fold, event.step, event.value))
            case ev.Reports():
                self.reports.setdefault(event.trial, []).extend(event.rows)
            case ev.TrialCompleted():
                self._put(self.trials[event.trial].changed(ended="completed"))
            case ev.TrialStopped():
                self._put(self.trials[event.trial].changed(ended="stopped", reason=event.reason))
            case ev.TrialFailed() if event.final:
                failure = Failure(event.kind, event.message, event.traceback)
                self._put(self._cost(event).changed(failure=failure))
            case ev.TrialFailed():
                self._put(self._cost(event))
                self.failures[event.trial] = self.failures.get(event.trial, 0) + 1
            case ev.FinalScored():
                known = self.halves if event.half else self.finals
                known[event.trial] = (*known.get(event.trial, ()), _measured(event))
                self.in_finals = True
            case ev.WinnerChosen():
                self.winner = event
                self.in_finals = False
            case ev.HoldoutScored():
                self.holdout.setdefault(event.trial, []).append(event.scores)
                self.holdout_uses += self.best is not None and self.best.number == event.trial
                if event.gain is not None:
                    self.holdout_gains[event.trial] = event.gain
            case ev.StudyEnded():
                self.told_end, self._after_end = event.reason, False
            case _:
                pass
        if self._after_end and not self.in_finals:
            self._after_end = any(self.trials[number].status == "running" for number in self.recalled)

    def _cost(self, event: ev.TrialFailed) -> Trial:
        """Return the trial with the seconds of a failure added."""
        trial = self.trials[event.trial]
        return trial.changed(failed_seconds=trial.failed_seconds + (event.seconds or 0.0))

    def _is_after_search(self, event: ev.Event) -> bool:
        """Return whether an event is of what follows a search: the folds of raced-out trials, or the finals."""
        if isinstance(event, ev.TrialStarted):
            return event.trial < len(self.trials) and self.trials[event.trial].ended == "stopped"
        return isinstance(event, ev.FinalScored)

    def _resume(self, event: ev.StudyResumed) -> None:
        self._before = self.seconds
        self._session = self.last_time = event.time
        self.told_end, self._after_end = None, False
        self.resumed.append(event)
        name = event.options.get("name")  # journals of before this was recorded do without
        self.name = name if isinstance(name, str) else self.name

    def _begin(self, event: ev.TrialStarted) -> None:
        self.in_finals = False
        if event.trial < len(self.trials):
            if self.trials[event.trial].failure is not None:
                self._reopen(event)
                return
            known = self.trials[event.trial]
            if known.ended == "stopped":
                self.recalled[event.trial] = known
                self.winner = None
            self._put(known.changed(attempt=event.attempt, ended=None, reason=""))
            return
        self.winner = None  # there is a further candidate: the finals are to be held again
        begun = Trial(
            number=event.trial,
            values=event.values,
            folds=self.started.folds,
            fidelity=event.fidelity,
            parent=event.parent,
            origin=event.origin,
            note=event.note,
            predicted=event.predicted,
        )
        self.trials.append(begun)
        self._tally(begun, 1)
        key = self.space.key(event.values)
        self._first_of.setdefault(key, event.trial)
        self._first_at.setdefault((key, event.fidelity), event.trial)
        self._configurations.append(self._configurations[-1] + (event.parent is None))
        self._lower.append(self._lower[-1] + (event.fidelity is not None))

    def _reopen(self, event: ev.TrialStarted) -> None:
        """Begin a failed trial from the start: folds measured before may be of other code than those to come."""
        number = event.trial
        self._replace(
            self.trials[number].changed(attempt=event.attempt, failure=None, measurements=(), failed_seconds=0.0)
        )
        self.reports.pop(number, None)
        self.failures.pop(number, None)
        self.retried.add(number)
        self.recalled.pop(number, None)
        self.winner = None  # it may win yet: the finals are to be held again
        self.reopenings += 1
        del self._prefix[number + 1 :]  # a failed trial is never the best: `best_number` stays

    def _replace(self, trial: Trial) -> None:
        self._tally(self.trials[trial.number], -1)
        self.trials[trial.number] = trial
        self._tally(trial, 1)

    def _tally(self, trial: Trial, one: int) -> None:
        status = trial.status
        self._counts[status] += one
        if trial.parent is not None and status != "running":
            self.ended_promotions += one

    def _put(self, trial: Trial) -> None:
        self._replace(trial)
        if trial.status == "running":
            return
        self.best_number = self._better(self.best_number, trial)
        while len(self._prefix) <= len(self.trials):
            ended = self.as_searched(len(self._prefix) - 1)
            if ended.status == "running":
                break
            best, failures = self._prefix[-1]
            self._prefix.append((self._better(best, ended), failures + 1 if ended.failure else 0))

    def _better(self, best: int | None, trial: Trial) -> int | None:
        """Return the number of the better of the best so far and a trial; equal losses keep the lower number."""
        if not trial.completed or trial.fidelity is not None or trial.score is None:
            return best
        if best is None:
            return trial.number
        incumbent = self.trials[best]
        assert incumbent.score is not None
        challenge = (self.objective.loss(trial.score), trial.number)
        return trial.number if challenge < (self.objective.loss(incumbent.score), best) else best

    # -- what is known --------------------------------------------------------------------------------------------

    @property
    def best(self) -> Trial | None:
        """The finals' winner; without finals the full-fidelity trial of smallest mean loss, the first of equals."""
        number = self.best_number if self.winner is None else self.winner.trial
        return None if number is None else self.trials[number]

    @property
    def ended(self) -> str | None:
        """Why the last session ended, None if it has not, or was killed.

        Journals of before tell the end ahead of what follows the search: one that was killed in that has not ended.
        """
        return None if self._after_end else self.told_end

    @property
    def baseline(self) -> Trial | None:
        """Trial 0: the defaults."""
        return self.trials[0] if self.trials else None

    @property
    def seconds(self) -> float:
        """Seconds the study has run for, sessions added up, until its last event."""
        return self._before + max(self.last_time - self._session, 0.0)

    @property
    def asked(self) -> bool:
        """Whether a script outside asks and tells its trials (`hptune ask`, `hptune tell`): its config has no model."""
        return bool(self.started.config) and "model" not in self.started.config

    def elapsed(self, now: float) -> float:
        """Seconds the study has run for until `now`, sessions added up."""
        return self._before + max(now - self._session, 0.0)

    def count(self, status: str) -> int:
        """Return how many trials have this status; kept up to date, for it is asked with every event."""
        return self._counts[status]

    @property
    def used_up(self) -> bool:
        """Whether the space has been tried whole once the oracle suggests nothing more.

        The oracles that hptune ships look for what is left; one of the user's own may end a study when it likes.
        """
        if not any(sign in str(self.started.oracle.get("type")) for sign in ".:"):
            return True
        size = self.space.size()
        return size is not None and self._configurations[-1] >= size

    def finished_until(self) -> int:
        """Return how many trials from trial 0 on have ended without a gap."""
        return len(self._prefix) - 1

    def seen(self, values: Values) -> int | None:
        """Return the number of the first trial with this configuration at any fidelity, None if there is none."""
        return self._first_of.get(self.space.key(values))

    def seen_at(self, values: Values, fidelity: float | None) -> int | None:
        """Return the number of the first trial with this configuration at this fidelity, None if there is none."""
        return self._first_at.get((self.space.key(values), fidelity))

    def as_searched(self, number: int) -> Trial:
        """Return a trial as the search knows it: a raced-out one that was completed afterwards is raced out there."""
        return self.recalled.get(number, self.trials[number])

    def rows(self, count: int) -> NDArray[np.float64]:
        """Return the encoded configurations of the first `count` trials, shape (count, columns), read-only."""
        if len(self._rows) < count:
            grown = np.empty((max(count, 2 * len(self._rows), 16), len(self.space.columns)))
            grown[: self._known_rows] = self._rows[: self._known_rows]
            self._rows = grown
        while self._known_rows < count:
            self._rows[self._known_rows] = self.space.encode(self.trials[self._known_rows].values)
            self._known_rows += 1
        rows = self._rows[:count].view()
        rows.flags.writeable = False
        return rows

    def view(self, k: int | None = None, *, everything: bool = False, copies: bool = False) -> View:
        """Return the history as trial k may see it (default: the next trial).

        With `everything`, the results of all trials begun are visible; used when an oracle waits for them. `copies`
        is for code of the user's.
        """
        begun = len(self.trials) if k is None else min(k, len(self.trials))
        strict = self.lookahead is not None and not everything
        visible = max(begun - (self.lookahead or 1) + 1, 0) if strict else begun
        return View(self, begun, min(visible, begun), copies)


def _measured(event: ev.FoldScored | ev.FinalScored) -> Measurement:
    return Measurement(
        fold=event.fold,
        score=event.score,
        train_score=event.train_score if isinstance(event, ev.FoldScored) else None,
        metrics=event.metrics or {},
        fit_seconds=event.fit_seconds,
        score_seconds=event.score_seconds,
        continued=event.continued if isinstance(event, ev.FoldScored) else None,
    )


@dataclasses.dataclass(frozen=True)
class View(Sequence[Trial]):
    """The first `begun` trials of a history, of which the first `visible` show their results.

    A sequence of trials: one whose result is hidden looks as if it were still running. With `copies` each trial read
    is a copy, which whoever reads it may change.
    """

    history: History
    begun: int
    visible: int
    copies: bool = False

    @property
    def space(self) -> SearchSpace:
        return self.history.space

    @property
    def objective(self) -> Objective:
        return self.history.objective

    @property
    def seed(self) -> int:
        """The study's seed, for what must be the same in every call (a scrambling, a shuffled order)."""
        return self.history.seed

    @property
    def starts(self) -> int:
        """How many configurations come before the oracle's first (the defaults and the user's)."""
        return len(self.history.starts)

    @property
    def configurations(self) -> int:
        """How many configurations have begun; promotions to a higher fidelity do not count."""
        return self.history._configurations[self.begun]

    @property
    def budget(self) -> Mapping[str, Any]:
        """The config's `budget:` with which the study began, {} without a config; a later session may have another."""
        found = self.history.started.config.get("budget")
        return fresh(found) if isinstance(found, dict) else {}

    @property
    def lower(self) -> int:
        """How many trials have begun at a lower fidelity than the whole."""
        return self.history._lower[self.begun]

    @property
    def settled(self) -> int:
        """How many trials from trial 0 on have ended, without a gap, as far as this view sees."""
        return min(self.visible, self.history.finished_until())

    @property
    def settled_best(self) -> int | None:
        """The best trial's number among the settled ones."""
        return self.history._prefix[self.settled][0]

    @property
    def failures_in_a_row(self) -> int:
        """How many of the settled trials failed since the last one that did not."""
        return self.history._prefix[self.settled][1]

    def __len__(self) -> int:
        return self.begun

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.begun))]
        if not -self.begun <= index < self.begun:
            raise IndexError(index)
        trial = self._known(index % self.begun)
        return Lent.of(trial) if self.copies else trial

    def _known(self, number: int) -> Trial:
        """Return the history's own trial as this view shows it."""
        trial = self.history.as_searched(number)
        if number < self.visible or (trial.status == "running" and not trial.measurements):
            return trial
        return trial.changed(measurements=(), failure=None, ended=None, reason="", attempt=1)

    def __iter__(self) -> Iterator[Trial]:
        return (self[i] for i in range(self.begun))

    def completed(self) -> list[Trial]:
        """Return the completed trials whose results are visible, by number."""
        known = self.history.as_searched
        return self._out([trial for number in range(self.visible) if (trial := known(number)).completed])

    def pending(self) -> list[Trial]:
        """Return the trials begun whose results are not to be seen (yet)."""
        known = (self._known(number) for number in range(self.begun))
        return self._out([trial for trial in known if trial.status == "running"])

    def _out(self, trials: list[Trial]) -> list[Trial]:
        return [Lent.of(trial) for trial in trials] if self.copies else trials

    def seen(self, values: Values) -> bool:
        """Return whether this configuration has begun, at whatever fidelity."""
        first = self.history.seen(values)
        return first is not None and first < self.begun

    def seen_at(self, values: Values, fidelity: float | None) -> bool:
        """Return whether this configuration has begun at this fidelity."""
        first = self.history.seen_at(values, fidelity)
        return first is not None and first < self.begun

    def rows(self) -> NDArray[np.float64]:
        """Return the encoded configurations, shape (begun, columns)."""
        return self.history.rows(self.begun)
