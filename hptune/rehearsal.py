"""A rehearsal: what `hptune run` would do, with one default trial measured and nothing written.

session = rehearsed(load("study.yaml"), Path("runs/x"))
seconds, trial = measure(session)
print(estimate(session, trial_seconds=seconds))
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hptune import journal as jn
from hptune.compose import inspect_on, setup_of, wanted, with_workers
from hptune.config.asked import must_have_a_model
from hptune.config.load import Loaded
from hptune.job import Job, Outcome
from hptune.open_study import study_of
from hptune.own_oracle import oracle_of
from hptune.replay import replay
from hptune.run_directory import check_free
from hptune.session import Session


def rehearsed(
    loaded: Loaded,
    folder: Path,
    *,
    fresh: bool = False,
    add_trials: int | None = None,
    workers: int | None = None,
    allow_import: Sequence[str] = (),
) -> tuple[Session, int]:
    """Return what `compose.start` would open, but in memory, and how many configurations the folder holds already.

    Raises what `start` raises for the config, and for a folder that holds a study of another problem, or
    files that a run would write over.
    """
    must_have_a_model(loaded)
    loaded = with_workers(loaded, workers)
    check_free(folder, loaded.config.evaluate.nested or 0)
    with jn.disk(folder / jn.NAME, "read"):
        events = jn.read(folder, packed=True).events if (folder / jn.NAME).is_file() and not fresh else ()
    oracle = oracle_of(loaded, allow_import)
    executor = loaded.config.executor.open(setup_of(loaded, allow_import))
    try:
        inspection, warnings = inspect_on(loaded, executor, lambda: None)
        study = study_of(loaded, inspection, folder, events, None, oracle, warnings)
        history = replay(events) if events else study.history
        begun = history.view().configurations
        trials = loaded.config.budget.trials if add_trials is None else wanted(history, add_trials)
        return Session(loaded, folder, study, executor, inspection, warnings, [], trials), begun
    except BaseException:
        executor.close(kill=True)
        raise


def measure(session: Session) -> Outcome:
    """Measure the defaults on all folds, one after the other in one worker; what they write is thrown away."""
    budget, study = session.config.budget, session.study
    with tempfile.TemporaryDirectory(prefix="hptune-dry-run-") as work:
        job = Job(
            trial=0,
            values=study.history.starts[0],
            folds=tuple(range(session.inspection.folds)),
            deadline=budget.trial_time,
            memory=budget.trial_memory,
            work=work,
        )
        return session.executor.submit(job).result()


@dataclass(frozen=True)
class Estimate:
    """How long the whole budget may take: `seconds` of wall time for `trials` configurations that are still to come.

    `lanes` is how many trials or folds run at once, `limited` whether the time limit comes first. None where no limit
    says how many trials there will be.
    """

    trial_seconds: float
    trials: int | None
    lanes: int
    seconds: float | None
    limited: bool


def estimate(session: Session, trial_seconds: float, begun: int = 0) -> Estimate:
    """Return the estimate if every configuration took as long as the defaults (`trial_seconds`, all folds summed)."""
    budget, history = session.config.budget, session.study.history
    lookahead = history.lookahead
    # A lookahead of L lets L trials run at once, each with its folds side by side.
    lanes = max(1, min(session.slots, (lookahead or session.slots) * max(session.inspection.folds, 1)))
    size = history.space.count()
    limits = [one for one in (session.trials, size.least if size and size.exact else None) if one is not None]
    trials = max(min(limits) - begun, 0) if limits else None
    seconds = None if trials is None else trials * trial_seconds / lanes
    limited = budget.time is not None and (seconds is None or seconds > budget.time)
    if limited and budget.time is not None:
        seconds = budget.time
        reached = math.floor(budget.time * lanes / trial_seconds) if trial_seconds > 0 else None
        trials = reached if trials is None or reached is None else min(trials, reached)
    return Estimate(trial_seconds, trials, lanes, seconds, limited)
