"""`hptune ask CONFIG|DIR`: the next trial of a study that a script outside drives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.asking import Asked, ask
from hptune.commands._failing import mutter
from hptune.commands._shared import chosen_format, say, say_json, stdout_width, write
from hptune.errors import HptuneError, Interrupted, UsageError

if TYPE_CHECKING:
    from hptune.config.load import Loaded

FORMATS = ("table", "json", "shell")
TRIAL, DIR, PREFIX = "HPTUNE_TRIAL", "HPTUNE_DIR", "hp_"
"""What `--format shell` sets: the trial's number, the run directory, and each parameter behind the prefix."""


def ask_verb(
    target: Path,
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
    again: int | None = None,
    format: str = "table",
    as_json: bool = False,
    allow_import: Sequence[str] = (),
) -> int:
    """Print the next trial of the study of `target`, or trial `again` once more; return the exit code.

    Without one nothing is printed (of `shell` an empty number, of JSON a null) and stderr says why. Raises `ConfigError`,
    `UsageError` and the run directory's errors; a shell is told then that there is no trial.
    """
    format = chosen_format(format, as_json, FORMATS)
    try:
        loaded, place = _found(target, overrides, folder)
        names = shell_names(loaded) if format == "shell" else {}
        asked = _asked(loaded, place, again, allow_import)
    except (HptuneError, Interrupted) as error:
        if format == "shell":  # `eval ""` would succeed, with the last trial still set
            say([f"{TRIAL}=", f"(exit {error.exit_code})"])
        raise
    if asked.trial is None:
        mutter(nothing_left(asked, place))
    if format == "json":
        say_json(_document(asked, place))
    elif format == "shell":
        write("".join(f"{line}\n" for line in _shell(asked, place, names)))  # for `eval`: values as they are
    elif asked.trial is not None:
        say(_lines(asked, place))
    return 0


def _found(target: Path, overrides: Sequence[str], wanted: Path | None) -> tuple[Loaded, Path]:
    """Return the config and its run directory; raises `ConfigError` for one with a model."""
    from hptune.collecting import no_collecting
    from hptune.commands._problem import config_of, place_of

    with no_collecting():
        from hptune.config.asked import must_have_no_model
        from hptune.config.load import load

        path, folder = config_of(target)
        loaded = load(path, list(overrides))
    must_have_no_model(loaded)
    return loaded, place_of(loaded, folder, wanted)


def _asked(loaded: Loaded, place: Path, again: int | None, allow_import: Sequence[str]) -> Asked:
    """Ask, having said what is doubtful in a new study's config."""
    from hptune.commands._found import config_text, resolved_in, write_told
    from hptune.commands._problem import CONFIG, oracle_named, warn
    from hptune.report.files import write_whole

    named = oracle_named(loaded)
    if named:
        mutter(f"runs code that the config names: {', '.join(named)}")

    def config() -> None:
        path, text = place / CONFIG, config_text(resolved_in(loaded, place), "ask")
        if not path.is_file() or path.read_bytes() != text.encode():
            write_whole(path, text)

    asked = ask(
        loaded, place, again=again, allow_import=allow_import, config=config,
        keep=lambda history, reason: write_told(place, history, reason),
    )  # fmt: skip
    warn(asked.warnings)
    for note in asked.notes:
        mutter(f"note: {note}")
    return asked


def nothing_left(asked: Asked, folder: Path) -> str:
    """Return why there is no trial, and what is open."""
    from hptune.report import phrases

    listed = ", ".join(map(str, asked.open[:8])) + (", ..." if len(asked.open) > 8 else "")
    many = len(asked.open) > 1
    trials = f"trial{'s' if many else ''} {listed}"
    if asked.reason is None:
        return f"{phrases.name(asked.history)}: nothing to ask yet: the oracle waits for the result of {trials}"
    text = f"{phrases.name(asked.history)}: nothing left to ask: {phrases.ending(asked.history, asked.reason)}"
    if asked.open:
        text += (
            f"; {trials} {'are' if many else 'is'} open: `hptune tell {folder} --trial {asked.open[0]} ...` (if its worker "
            f"is lost, `hptune ask {folder} --again {asked.open[0]}`)"
        )
    return text


# -- for people and programs ------------------------------------------------------------------------------------------


def _lines(asked: Asked, folder: Path) -> list[str]:
    from hptune.report import phrases, wording
    from hptune.report.layout import pairs

    trial = asked.trial
    assert trial is not None
    notes = "".join((", the defaults" * (trial.number == 0), f", attempt {trial.attempt}" * (trial.attempt > 1)))
    values = [(name, wording.exact(found)) for name, found in trial.values.items()]
    then = f"hptune tell {shlex.quote(str(folder))} --trial {trial.number} --value SCORE"
    rows = pairs(values, stdout_width())
    return [f"{phrases.name(asked.history)}: trial {trial.number}{notes}", *rows, "", *pairs([("then", then)], None)]


def _document(asked: Asked, folder: Path) -> dict[str, Any]:
    trial, history = asked.trial, asked.history
    return {
        "schema_version": 1,
        "name": history.name,
        "dir": str(folder),
        "objective": {"metric": history.started.metric, "direction": history.started.direction},
        "trial": None if trial is None else trial.number,
        "params": None if trial is None else dict(trial.values),
        "baseline": None if trial is None else trial.number == 0,
        "attempt": None if trial is None else trial.attempt,
        "fidelity": None if trial is None else trial.fidelity,
        "origin": None if trial is None else trial.origin,
        "open": asked.open,
        "stop_reason": None if trial is not None else asked.reason,
    }


# -- for shells -------------------------------------------------------------------------------------------------------


def shell_names(loaded: Loaded) -> dict[str, str]:
    """Return the shell variable of each parameter; raises `UsageError` where two have the same."""
    names: dict[str, str] = {}
    for parameter in loaded.space:
        variable = PREFIX + re.sub(r"[^A-Za-z0-9_]", "_", parameter.name)
        other = next((name for name, used in names.items() if used == variable), None)
        if other is not None:
            raise UsageError(
                f"--format shell: expected parameters with variables of their own, {other} and {parameter.name} are both "
                f"{variable}; rename one, or take --json"
            )
        names[parameter.name] = variable
    return names


def _shell(asked: Asked, folder: Path, names: dict[str, str]) -> list[str]:
    """Return what `eval` reads: the number (empty if there is none), the folder, the active parameters.

    The others are unset: they may be left from the last trial.
    """
    from hptune.report import wording

    trial = asked.trial
    values = {} if trial is None else trial.values
    gone = [variable for name, variable in names.items() if name not in values]
    lines = [f"{TRIAL}={'' if trial is None else trial.number}", f"{DIR}={shlex.quote(str(folder))}"]
    lines += [f"{names[name]}={shlex.quote(wording.exact(found))}" for name, found in values.items()]
    return lines + ([f"unset {' '.join(gone)}"] if gone else [])
