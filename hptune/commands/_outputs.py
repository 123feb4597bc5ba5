"""What `run` leaves for a CI server beside the run directory: a Markdown summary and a JUnit file."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hptune.commands._failing import mutter
from hptune.errors import HptuneError, UsageError

if TYPE_CHECKING:
    from hptune.commands.run import Options
    from hptune.gate import Judged
    from hptune.session import Session

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_KEPT_FREE = 1024  # bytes of the 1 MiB of a step's summary


def check_outputs(options: Options) -> None:
    """Raise `UsageError` now for what would otherwise fail when the whole search is done."""
    for option, path in (("--summary", options.summary), ("--junit", options.junit)):
        if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
            raise UsageError(f"{option}: expected a file in a folder that exists, found {path}")
        if path is not None:
            try:  # as write_whole does it: a file of another name, then the name
                with tempfile.TemporaryFile(dir=path.absolute().parent):
                    pass
            except OSError as error:
                raise UsageError(
                    f"{option}: expected a folder that can be written, found {path.absolute().parent}: "
                    f"{error.strerror or error}; name a file elsewhere"
                ) from None


def write_outputs(
    session: Session, options: Options, reason: str, judged: Judged | None, failed: HptuneError | None
) -> None:
    """Write --summary and --junit, and append to `$GITHUB_STEP_SUMMARY`; raises `DirectoryUnusable`.

    A step summary that cannot be written is said and no more: the server's trouble is not the study's.
    """
    step = os.environ.get(STEP_SUMMARY)
    if options.summary is None and options.junit is None and not step:
        return
    from hptune.commands._results import nested_of
    from hptune.report.files import write_whole
    from hptune.report.junit import junit
    from hptune.report.markdown import LIMIT, Facts, summary

    history, gate = session.study.history, session.config.gate
    passes = gate is not None and judged is not None and judged.passes(gate.undecided)
    error = "" if failed is None else str(failed)
    facts = Facts(
        stop_reason=reason,
        folder=str(session.folder),
        command=_again(session, options),
        judged=judged,
        undecided_passes=passes,
        error=error,
        nested=nested_of(session),
    )
    if options.junit is not None:
        write_whole(options.junit.absolute(), junit(history, judged, undecided_passes=passes, error=error))
    if options.summary is not None:
        write_whole(options.summary.absolute(), summary(history, facts))
    if step:
        path = Path(step)
        try:
            there = path.stat().st_size if path.exists() else 0
            with path.open("a", encoding="utf-8") as file:
                file.write("\n" * (there > 0) + summary(history, facts, limit=max(LIMIT - there - _KEPT_FREE, 0)))
        except OSError as problem:
            mutter(f"cannot append to {STEP_SUMMARY} ({step}): {problem.strerror or problem}")


def _again(session: Session, options: Options) -> str:
    """Return the command that runs the study from the start, in a folder of its own and on any machine."""
    target = options.target / "config.yaml" if options.target.is_dir() else options.target
    words = ["hptune", "run", str(target)]
    words += [word for one in (*options.overrides, *_resolved(session, options)) for word in ("-o", one)]
    words += [word for one in options.allow_import for word in ("--allow-import", one)]
    return shlex.join([*words, "--dir", f"{session.folder}-again"])


def _resolved(session: Session, options: Options) -> list[str]:
    """Return overrides for what the trials depend on and neither the config nor the other overrides say."""
    history, executor = session.study.history, session.config.executor
    out: list[str] = []
    tried = history.view().configurations
    if session.trials is not None and (options.trials is not None or tried > session.trials):
        out.append(f"budget.trials={max(session.trials, tried)}")  # `--trials`, of this session or an earlier one
    # A lookahead that is not named comes from the number of workers: of --workers, of the machine's cores, or of an
    # earlier session.
    named = executor.lookahead is not None or session.executor.name == "serial"
    from_config = executor.workers != "auto" and options.workers is None
    same = from_config and executor.resolved_lookahead() == history.lookahead
    if history.lookahead is not None and not named and not same:
        out.append(f"executor.lookahead={history.lookahead}")
    return out
