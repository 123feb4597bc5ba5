"""Puts a study together from a config: executor, inspection, space, journal, study, loop. It knows all the concretes.

session = start(load("study.yaml"), Path("runs/x"))
reason = session.run(tick=..., interrupt=...)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hptune import events as ev
from hptune import journal as jn
from hptune import spool
from hptune.config.asked import must_have_a_model, told_inspection
from hptune.config.findings import problems_from
from hptune.config.load import Loaded
from hptune.cross_checks import checked, cross_checks
from hptune.early import Spare
from hptune.errors import ConfigError, Problem, UsageError
from hptune.executor import Executor
from hptune.history import History
from hptune.job import Inspection, Job, Setup
from hptune.open_study import study_of
from hptune.own_oracle import oracle_of
from hptune.probing import probe_ranges
from hptune.run_directory import check_free, clear, mark, no_links
from hptune.session import Session, answer_of
from hptune.study import Study


def start(
    loaded: Loaded,
    folder: Path,
    *,
    fresh: bool = False,
    add_trials: int | None = None,
    workers: int | None = None,
    allow_import: Sequence[str] = (),
    outer: tuple[int, int] | None = None,
    interrupt: Callable[[], str | None] = lambda: None,
    spare: Spare | None = None,
) -> Session:
    """Open a run directory for a config: a new study, or the one that is there if it is the same problem.

    With `fresh`, an earlier study in the folder is deleted first. `add_trials` asks for so many configurations more
    than have been tried. `outer` (folds, fold) makes that outer fold the holdout (see `nested`). `spare` may hold the
    first worker, started already. Raises `ConfigError` with lines, `ProblemChanged` naming the difference, and the
    errors of journal and executor; nothing is left running then.
    """
    must_have_a_model(loaded)
    loaded = with_workers(loaded, workers)
    config = loaded.config
    oracle = oracle_of(loaded, allow_import)
    executor = config.executor.open(setup_of(loaded, allow_import, outer), spare)
    journal: jn.Journal | None = None
    try:
        check_free(folder, config.evaluate.nested or 0)
        with jn.disk(folder, "read"):
            there = (folder / jn.NAME).exists()
        if there:  # a locked or damaged directory is said before any work is done
            journal = jn.Journal(folder)
        known = [] if journal is None or fresh else journal.events
        inspection, warnings = inspect_on(loaded, executor, interrupt, known, oracle.prepare)
        notes: list[str] = []
        if not known:  # what a new study is refused for is said before a folder is made, or an earlier study deleted
            study_of(loaded, inspection, folder, [], None, oracle, [])
        if fresh and journal is not None:
            journal.begin_anew(clear)
            notes.append("the earlier study in this folder was deleted (--fresh)")
        if journal is None:
            mark(folder)
            journal = jn.Journal(folder)
        no_links(folder)
        if journal.repaired:
            notes.append(journal.repaired)
        study = study_of(loaded, inspection, folder, journal.events, journal, oracle, warnings, added=add_trials)
        notes += _swept(folder, study)
        trials = config.budget.trials
        if add_trials is not None:
            trials = wanted(study.history, add_trials)
        return Session(loaded, folder, study, executor, inspection, warnings, notes, trials, add_trials)
    except BaseException:
        executor.close(kill=True)
        if journal is not None:
            journal.close()
        raise


def _swept(folder: Path, study: Study) -> list[str]:
    """Delete what a killed run left unfinished in the spool; return what to say of results that are lost by it."""
    running = {trial.number for trial in study.history.trials if trial.status == "running"}
    return [
        f"{path}: expected a result as its worker wrote it down ({reason}); passed over, trial {number} runs again"
        for number, path, reason in spool.sweep(folder / spool.FOLDER)
        if number in running
    ]


def wanted(history: History, add: int) -> int:
    """Return how many configurations `add` more make: as many as last time if that was asked for and was cut short."""
    added = history.started.about.get("added")  # by the first session, which found none
    last = history.resumed[-1].options if history.resumed else {"added": added, "trials": added}
    before = last.get("trials")
    if history.ended in (None, "signal") and last.get("added") == add and isinstance(before, int):
        return before
    return history.view().configurations + add


def inspect(
    loaded: Loaded,
    *,
    allow_import: Sequence[str] = (),
    interrupt: Callable[[], str | None] = lambda: None,
) -> tuple[Inspection, list[Problem]]:
    """Return what a worker finds out about a config, and all the warnings that `start` gives a new study.

    Raises `ConfigError` with lines for errors.
    """
    oracle = oracle_of(loaded, allow_import)
    if loaded.config.asked:
        inspection = told_inspection(loaded)
        warnings = checked(loaded, inspection)
        study_of(loaded, inspection, None, (), None, oracle, warnings)
        return inspection, warnings
    spec = loaded.config.executor.model_copy(update={"workers": 1})
    executor = spec.open(setup_of(loaded, allow_import))
    try:
        inspection, warnings = inspect_on(loaded, executor, interrupt)
        study_of(loaded, inspection, None, (), None, oracle, warnings)
        return inspection, warnings
    finally:
        executor.close(kill=True)


def setup_of(loaded: Loaded, allow_import: Sequence[str] = (), outer: tuple[int, int] | None = None) -> Setup:
    """Return the problem as a worker needs it."""
    config = loaded.config

    def plain(spec: Any) -> Any:
        return None if spec is None else spec.model_dump(mode="json", by_alias=True)

    return Setup(
        model=plain(config.model),
        data=plain(config.data),
        evaluate=plain(config.evaluate),
        space=loaded.space.to_json(),
        later={key: constraint.to_json() for key, constraint in loaded.later.items()},
        seed=config.seed,
        folder=str(loaded.folder.resolve()),
        own_code=loaded.own_code,
        base=config.base or "",
        outer=None if outer is None else {"folds": outer[0], "fold": outer[1]},
        resource=None if loaded.resource is None else loaded.resource.to_json(),
        threads=config.executor.threads(),
        allow_import=tuple(allow_import),
    )


def with_workers(loaded: Loaded, workers: int | None) -> Loaded:
    """Return the config with so many workers; None: as many as it says.

    Raises `UsageError` for a number that its executor cannot have.
    """
    if workers is None:
        return loaded
    executor = loaded.config.executor.model_copy(update={"workers": workers})
    if executor.slots() != workers:
        raise UsageError(
            f"--workers: the {executor.type} executor has one worker, found {workers}; "  # type: ignore[attr-defined]
            "take executor: {type: process}"
        )
    return replace(loaded, config=loaded.config.model_copy(update={"executor": executor}))


def inspect_on(
    loaded: Loaded,
    executor: Executor,
    interrupt: Callable[[], str | None],
    known: Sequence[ev.Event] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Inspection, list[Problem]]:
    """Return what a worker of this executor finds out, and warnings, those of reading the config first.

    Raises `ConfigError` with lines for errors. `known` are the events of a study that is to be continued: its models
    were probed when it was new. `meanwhile` is called while the worker is at it.
    """
    probed = dict(known[0].versions) if known and isinstance(known[0], ev.StudyStarted) else None
    job = Job(kind="inspect", options={"probe": loaded.config.probe, "probed": probed})
    began = time.monotonic()
    inspection = Inspection.from_json(answer_of(executor, job, interrupt, meanwhile))
    problems = list(dict.fromkeys([*loaded.warnings, *problems_from(inspection.findings, loaded)]))
    # Ranges of a study that goes on are what they are: a finding could only stop it.
    asked = loaded.config.probe and loaded.config.model.makes_estimator and not known
    if asked and not any(problem.severity == "error" for problem in problems):
        found = probe_ranges(loaded, inspection, executor, interrupt, time.monotonic() - began)
        problems += problems_from(found, loaded)
    if not any(problem.severity == "error" for problem in problems):
        problems += cross_checks(loaded, inspection, continued=bool(known))
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems)
    return inspection, problems
