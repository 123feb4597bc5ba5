"""`hptune retry DIR`: the failed trials of a study once more, under their own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hptune.commands._failing import mutter
from hptune.commands._shared import read_study, say_json
from hptune.commands.run import Options, conduct
from hptune.errors import UsageError
from hptune.history import History
from hptune.report.result import SCHEMA_VERSION


def retry(folder: Path, numbers: Sequence[int] = (), *, options: Options) -> int:
    """Run the failed trials of the study in `folder` again (those in `numbers`, or all); return the exit code.

    Then the study goes on as `hptune run DIR` would, and the files are written anew. Raises `UsageError` for a trial
    that did not fail, and what `run` raises.
    """
    again = failed_trials(read_study(folder), folder, numbers)
    if not again:
        if options.as_json:
            say_json({"schema_version": SCHEMA_VERSION, "retried": []})
        mutter(f"{folder}: no trial has failed; nothing to do")
        return 0
    from hptune import compose
    from hptune.commands._problem import code_named, config_of
    from hptune.config.load import load

    loaded = load(config_of(folder)[0])
    named = code_named(loaded)
    if named and not options.quiet:
        mutter(f"runs code that the config names: {', '.join(named)}")
    session = compose.start(loaded, folder, workers=options.workers, allow_import=options.allow_import)
    session.notes.append(
        f"runs again from the first fold: {_named(again)}; what was chosen after them knew that they had failed, so "
        "the seed alone no longer gives these trials (reproducible: false)"
    )
    return conduct(session, options, again)


def failed_trials(history: History, folder: Path, numbers: Sequence[int]) -> list[int]:
    """Return the failed trials asked for, all if none is named; raises `UsageError` for one that did not fail."""
    failed = [trial.number for trial in history.trials if trial.failure is not None]
    for number in numbers:
        if not 0 <= number < len(history.trials):
            raise UsageError(f"--trial: {folder} has no trial {number}; it has {len(history.trials)}, from 0 on")
        if number not in failed:
            which = f"failed: {_named(failed)}" if failed else "none has failed"
            raise UsageError(
                f"--trial: expected a failed trial, trial {number} is {history.trials[number].status}; {which}"
            )
    return sorted(set(numbers)) if numbers else failed


def _named(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
    return f"{'trial' if len(numbers) == 1 else f'{len(numbers)} trials:'} {shown}"
