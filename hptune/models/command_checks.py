"""What is wrong with a command as far as it can be known before anything is run, with the mend."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hptune.errors import did_you_mean
from hptune.evaluate import MEASURED, EvaluateSpec
from hptune.job import Finding
from hptune.models.templates import OWN_NAMES, Template, text_of
from hptune.parameters import Parameter
from hptune.space import SearchSpace

if TYPE_CHECKING:
    from hptune.models.command import CommandModel

_COMMAND = "model.command"
_SHELL_WORD = re.compile(r"\|[|&]?|&&?|;|\d*>>?|\d*>&\d|&>>?|<")
_SCRIPTED = ("python", "bash", "sh", "zsh", "Rscript", "julia", "node", "perl", "ruby")


def check(model: CommandModel, space: SearchSpace, evaluate: EvaluateSpec, folder: Path) -> list[Finding]:
    """Return what is wrong with a command for this space, metric and config folder; nothing is run."""
    return [
        *_names(model, space),
        *_absent(model, space),
        *_unused(model, space),
        *_metrics(model, evaluate),
        *_folds(model, evaluate),
        *_program(model, folder),
    ]


def _error(key: str, message: str) -> Finding:
    return Finding(key=key, message=message)


def _warning(key: str, message: str) -> Finding:
    return Finding(key=key, message=message, severity="warning")


# -- placeholders ---------------------------------------------------------------------------------------------------


def _names(model: CommandModel, space: SearchSpace) -> Iterator[Finding]:
    """Yield placeholders that stand for nothing, and parameters that are called like one of hptune's own."""
    known = [*space.by_name, *OWN_NAMES]
    for key, group in model.templates.items():
        for name in dict.fromkeys(name for template in group for name in template.names):
            if name not in known:
                near = did_you_mean(name, known) or f" (there are {', '.join(known)})"
                yield _error(key, f"{{{name}}} is no parameter of the space{near}")
    for name in space.by_name:
        if name in OWN_NAMES:
            yield _error(f"space.{name}", f"{{{name}}} has a meaning of its own in commands; rename the parameter")


def _absent(model: CommandModel, space: SearchSpace) -> Iterator[Finding]:
    """Yield placeholders that may have no value and cannot be left out where they stand."""
    if model.inactive is not None:
        return
    for key, template in ((key, one) for key, group in model.templates.items() for one in group):
        shell = model.shell and key == _COMMAND
        if template.alone and not shell and key != "model.metrics.file" and template is not model.arguments[0]:
            continue
        for name in template.names:
            why = _why_absent(name, space)
            if why:
                where = "in a shell line" if shell else f"inside {str(template)!r}"
                mend = "say what it is then: `inactive: TEXT`"
                if key == _COMMAND and not shell:
                    mend = f"make it an argument of its own (--name {{{name}}}: both are left out), or {mend}"
                yield _error(key, f"{{{name}}} stands {where} and {why}; {mend}")


def _why_absent(name: str, space: SearchSpace) -> str:
    if name == "fidelity":
        return "has no value when a trial is measured in full"
    if name not in space:
        return ""
    parameter = space[name]
    if parameter.when:
        return "has no value when it is inactive"
    return "may be null" if _may_be_null(parameter) else ""


def _may_be_null(parameter: Parameter) -> bool:
    named = [*getattr(parameter, "values", ()), *getattr(parameter, "extra", ()), getattr(parameter, "value", 0)]
    return any(one is None for one in named)


def _unused(model: CommandModel, space: SearchSpace) -> Iterator[Finding]:
    if model.uses("params_file"):
        return
    for name in space.by_name:
        if not model.uses(name):
            message = "does not stand in the command, so its values change nothing (unless it reads $HPTUNE_PARAMS)"
            yield _warning(f"space.{name}", f"{message}; write {{{name}}} where it belongs")


# -- metrics and folds ----------------------------------------------------------------------------------------------


def _metrics(model: CommandModel, evaluate: EvaluateSpec) -> Iterator[Finding]:
    wanted = [evaluate.metric or MEASURED, *evaluate.also]
    regex = model.metrics.regex
    if regex is not None:
        for name in wanted:
            if name not in regex:
                yield _error("model.metrics.regex", f"expected an expression for {name!r}{did_you_mean(name, regex)}")
        for name in regex:
            if name not in wanted:
                message = f"{name} is neither evaluate.metric nor in evaluate.also, so it is not recorded"
                yield _warning(f"model.metrics.regex.{name}", message)
    template = model.metrics.file_template
    if template is None:
        return
    if template.names == ("result_file",) and not _told(model, "result_file"):
        message = "the command is not told {result_file}, the file to write its metrics to"
        mend = "put it into the command (--out {result_file}), or say `metrics: {stdout: json}` or `{regex: ...}`"
        yield _warning(_COMMAND, f"{message} (it may read $HPTUNE_RESULT_FILE); {mend}")
    elif not _own_file(model, template):
        message = "trials that run at the same time would write the same file; use {result_file}, or {work_dir}/NAME"
        yield _error("model.metrics.file", message)


def _told(model: CommandModel, name: str) -> bool:
    """Return whether the command's arguments or variables hold a placeholder."""
    groups = [group for key, group in model.templates.items() if key != "model.metrics.file"]
    return any(name in template.names for group in groups for template in group)


def _own_file(model: CommandModel, template: Template) -> bool:
    """Return whether every run of the command has a result file of its own."""
    if "result_file" in template.names or "work_dir" in template.names:
        return True
    if model.cwd == "trial" and not str(template).startswith(("/", "{")):
        return True
    return "trial" in template.names and ("fold" in template.names or not model.uses("fold"))


def _folds(model: CommandModel, evaluate: EvaluateSpec) -> Iterator[Finding]:
    if model.uses("fold") and not isinstance(evaluate.cv, int):
        yield _error("evaluate.cv", "a command is told nothing but the number of its fold; write how many there are")


# -- the program ----------------------------------------------------------------------------------------------------


def _program(model: CommandModel, folder: Path) -> Iterator[Finding]:
    """Yield a program, or the script an interpreter is given, that is not there."""
    start = model.start(folder)
    if start is not None and not start.is_dir():
        near = did_you_mean(model.cwd, ["config", "trial", *_files(folder)])
        yield _error("model.cwd", f"expected config, trial or a folder; there is no {model.cwd} in {folder}{near}")
        return
    if model.shell:
        return
    yield from _shell_words(model)
    words = [_known(template, folder) for template in model.arguments]
    program = words[0]
    if program is None:
        return
    path = _path_variable(model)
    if "/" in program:
        yield from _at(program, folder, start)
    elif shutil.which(program, path=path) is None:
        yield _error(_COMMAND, f"there is no program {program!r} on the PATH{_mend(program, start or folder, path)}")
    yield from _script(program, words[1:], folder, start)


def _shell_words(model: CommandModel) -> Iterator[Finding]:
    """Yield what only a shell would act on; what is quoted, or an item of a list, is meant as it stands."""
    try:
        words = shlex.split(model.command, posix=False) if isinstance(model.command, str) else []
    except (
        ValueError
    ):  # a quote after a backslash, which only this way of splitting, that keeps quotes, takes for one
        return
    found = list(dict.fromkeys(word for word in words[1:] if _SHELL_WORD.fullmatch(word)))
    if found:
        listed = " and ".join(found)
        message = f"{listed} goes to the program as an argument, for no shell reads the line"
        yield _warning(_COMMAND, f"{message}; write `shell: true` beside it, or quote it if it is meant so")


def _known(template: Template, folder: Path) -> str | None:
    """Return an argument's text, None if it depends on the trial."""
    import sys

    texts = {"python": sys.executable, "config_dir": str(folder)}
    if any(name not in texts for name in template.names):
        return None
    return template.fill({name: texts[name] for name in template.names})


def _path_variable(model: CommandModel) -> str | None:
    """Return the PATH on which the program is looked for, None for hptune's own (or one that is not known yet)."""
    given = text_of(model.env.get("PATH"))
    return None if given is None or "{" in given else given


def _at(program: str, folder: Path, start: Path | None) -> Iterator[Finding]:
    if start is None and not Path(program).is_absolute():
        yield _error(_COMMAND, _elsewhere(program))
        return
    place = (start or folder) / program
    if not place.is_file():
        yield _error(_COMMAND, f"there is no program {program}{_near(place)}")
    elif not os.access(place, os.X_OK):
        mend = f"chmod +x {program}, or begin with its interpreter (such as {{python}} {program})"
        yield _error(_COMMAND, f"{program} is not executable; {mend}")


def _elsewhere(name: str) -> str:
    return f"{name} is looked for in the trial's own folder (cwd: trial); write {{config_dir}}/{name}"


def _mend(program: str, folder: Path, path: str | None) -> str:
    if (folder / program).is_file():
        runs = os.access(folder / program, os.X_OK)
        return f"; the one beside the config is {f'./{program}' if runs else f'started with {{python}} {program}'}"
    if program.startswith("python"):
        return "; {python} stands for the interpreter that runs hptune"
    return did_you_mean(program, _programs(path)) or "; install it, or write its path"


def _programs(path: str | None) -> Iterable[str]:
    for one in (path or os.environ.get("PATH", os.defpath)).split(os.pathsep):
        yield from _files(Path(one))


def _files(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder)]
    except OSError:
        return []


def _script(program: str, words: Sequence[str | None], folder: Path, start: Path | None) -> Iterator[Finding]:
    """Yield a script that does not exist: every trial would fail with the interpreter's message."""
    name = Path(program).name.rstrip("0123456789.")
    script = words[0] if words else None
    if name not in _SCRIPTED or not script or script.startswith("-"):
        return
    if start is None and not Path(script).is_absolute():
        if (folder / script).exists():
            yield _error(_COMMAND, _elsewhere(script))
    elif not ((start or folder) / script).exists():
        yield _error(_COMMAND, f"there is no file {script}{_near((start or folder) / script)}")


def _near(place: Path) -> str:
    return f" in {place.parent}{did_you_mean(place.name, _files(place.parent))}"
