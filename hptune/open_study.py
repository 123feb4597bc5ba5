"""From a config and what is known of it to its study, new or continued: here it says what a study is bound to."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hptune import events as ev
from hptune import journal as jn
from hptune.config.identity import config_hash, difference, problem_hash, problem_of
from hptune.config.load import Loaded
from hptune.errors import ConfigError, Problem, ProblemChanged
from hptune.job import Inspection
from hptune.oracle import OracleSpec
from hptune.prior import first_of
from hptune.prior_runs import read_runs
from hptune.space import SearchSpace
from hptune.study import Study
from hptune.study_arguments import distinct_starts


def study_of(
    loaded: Loaded,
    inspection: Inspection,
    folder: Path | None,
    events: Sequence[ev.Event],
    journal: jn.Journal | None,
    oracle: OracleSpec,
    warnings: list[Problem],
    *,
    added: int | None = None,
) -> Study:
    """Return the study of a run directory, new or continued; raises `ProblemChanged` for another problem's.

    `events` are those found in the directory; `oracle` is the config's; `warnings` gets what is doubtful about the
    earlier studies of `prior:`, which only a new study reads. Without a journal the study is a new one in memory, and
    without a folder none that is to be kept. `added` is what `--trials +N` asked a new one for.
    """
    config = loaded.config
    old = events[0] if events else None
    lookahead = old.lookahead if isinstance(old, ev.StudyStarted) else config.lookahead
    space = SearchSpace.from_json(inspection.space)
    try:
        starts = distinct_starts(space, loaded.starts)
    except ValueError as error:
        raise ConfigError([loaded.problem("start_with", str(error))]) from None
    prior, doubts = (None, []) if events else read_runs(loaded, inspection, space, oracle, folder)
    warnings += doubts
    first = first_of(space, prior, starts)
    problem = problem_of(loaded, inspection.data_hash)
    resolved = isinstance(old, ev.StudyStarted) and None not in (old.lookahead, lookahead)
    if resolved and config.executor.lookahead is None:  # any number of workers may go on with it
        problem["lookahead"] = lookahead
    started = ev.StudyStarted(
        time=time.time(),
        name=config.name,
        metric=inspection.metric,
        direction=inspection.direction,
        space=space.to_json(),
        seed=config.seed,
        lookahead=lookahead,
        folds=inspection.folds,
        starts=[*starts, *first],
        prior=prior,
        prior_starts=len(first) if prior else None,
        oracle=oracle.model_dump(mode="json"),
        config=loaded.resolved,
        problem=problem,
        hashes={
            "problem": problem_hash(problem),
            "space": space.hash,
            "config": config_hash(loaded),
            "data": inspection.data_hash,
        },
        versions=dict(inspection.versions),
        about=_about(loaded, inspection, added),
    )
    if isinstance(old, ev.StudyStarted):
        _must_be_the_same(old, started, folder, loaded)
    return Study.of(started, oracle, journal)


def _about(loaded: Loaded, inspection: Inspection, added: int | None) -> dict[str, Any]:
    """Return what is kept with a study for those who read it, and binds it to nothing."""
    config = loaded.config
    return {
        "task": inspection.task,
        "rows": inspection.rows,
        "features": inspection.features,
        "holdout_rows": inspection.holdout_rows,
        "test_share": inspection.test_share,
        "overlapping": inspection.overlapping,
        "final_folds": inspection.final_folds,
        **({} if config.asked else {"workers": config.executor.slots(), "threads": config.executor.threads()}),
        **({} if added is None else {"added": added}),
        **({} if loaded.resource is None else {"resource": loaded.resource.to_json()}),
    }


def _must_be_the_same(old: ev.StudyStarted, new: ev.StudyStarted, folder: Path | None, loaded: Loaded) -> None:
    """Raise `ProblemChanged`, with what differs and the ways on, if a directory's study is of another problem."""
    if old.hashes.get("problem") == new.hashes["problem"]:
        return
    changes = difference(old.problem, new.problem)
    listed = "".join(f"\n  {change}" for change in changes) or "\n  (an earlier version hashed it differently)"
    seen = folder if folder is None else os.path.relpath(folder.resolve(), loaded.folder.resolve())
    # Of several scripts that ask, one with --fresh would delete what the others have begun: there is none.
    ways = "Keep both" if loaded.config.asked else "Start over with --fresh, or keep both"
    raise ProblemChanged(
        f"{folder} holds a study of another problem:{listed}\n"
        f"{ways} by giving this one another --dir; there it may begin with what the old one learned: "
        f"`prior: {{runs: [{seen}]}}`."
    )
