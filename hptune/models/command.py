"""`model: {command: "python train.py --lr {lr}"}`: a program of any language, started once for each trial (or fold).

The command is divided into arguments before values are put in, so a value is never two arguments, nor shell syntax.
What the placeholders are is in `Context.texts`, what is checked beforehand in `command_checks`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from hptune.evaluate import EvaluateSpec
from hptune.job import Finding
from hptune.model import Call, Loader, MeasuringModel, TrialFailed
from hptune.models.command_results import Metrics, Reader, chosen
from hptune.models.templates import OWN_NAMES, Placeholder, Template, parse, quoted_placeholder, text_of
from hptune.space import SearchSpace
from hptune.trial import Failure

RESULT_FILE = "{result_file}"
WORKER_VARIABLE = "HPTUNE_WORKER"
SHELL = "/bin/sh"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CommandModel(MeasuringModel):
    """A program that is started with the trial's values among its arguments and leaves its metrics where told.

    Placeholders: {NAME} for a parameter, {result_file}, {params_file} (a JSON file with the values), {work_dir} (the
    trial's own folder), {config_dir}, {python} (the interpreter that runs hptune), {trial}, {seed}, {fold},
    {fidelity}, {slot} (a number from 0 to workers - 1). The values also come as JSON in $HPTUNE_PARAMS.
    """

    key: ClassVar[str] = "command"
    keeps_logs: ClassVar[bool] = True

    command: str | list[str | bool | int | float]
    """The command: one line, divided into arguments as a shell would, or a list of arguments."""
    metrics: Metrics = Field(default_factory=lambda: Metrics(file=RESULT_FILE))
    """Where the command leaves its metrics; by default in {result_file}."""
    shell: bool = False
    """Whether the line is given to /bin/sh (for pipes and redirections); values are quoted."""
    env: dict[str, str | bool | int | float] = Field(default_factory=dict)
    """Further environment variables; values may hold placeholders."""
    cwd: str = Field(default="config", min_length=1)
    """Where the command is started: config (the config's folder), trial (the trial's own), or a folder relative to
    the config's, such as .. or ./scripts."""
    inactive: str | None = None
    """The text of a placeholder whose parameter is inactive or null; by default its argument is left out."""

    # -- what it says -----------------------------------------------------------------------------------------------

    @field_validator("env")
    @classmethod
    def _named(cls, env: dict[str, Any]) -> dict[str, Any]:
        for name, value in env.items():
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"expected names of environment variables, found {name!r}")
            parse(text_of(value) or "")
        return env

    @model_validator(mode="after")
    def _readable(self) -> CommandModel:
        try:
            if self.shell and not isinstance(self.command, str):
                raise ValueError("with `shell: true` expected one line of text, found a list")
            if not any(part for template in self.arguments for part in template.parts):
                raise ValueError("expected a command, found nothing")
            if self.shell and (wrong := quoted_placeholder(self.arguments[0])) is not None:
                raise ValueError(
                    f"{wrong} stands inside quotes; take them away: hptune quotes each value, other quotes undo that"
                )
            if self.shell and "<<" in str(self.command) and self.arguments[0].names:
                raise ValueError("a here-document (<<) cannot hold placeholders safely; use $HPTUNE_PARAMS")
        except ValueError as error:
            raise ValueError(f"command: {error}") from None  # the config's reader moves it to that key
        return self

    @cached_property
    def arguments(self) -> tuple[Template, ...]:
        """The program and its arguments; with `shell` the one line."""
        if not isinstance(self.command, str):
            return tuple(parse(text_of(one) or "") for one in self.command)
        if self.shell:
            return (parse(self.command),)
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            mend = "close it, or quote it in the other kind of quotes"
            raise ValueError(f"{str(error).lower()} in {self.command!r}; {mend}") from None
        return tuple(parse(word) for word in words)

    @cached_property
    def templates(self) -> dict[str, tuple[Template, ...]]:
        """Everything that may hold placeholders, by config key."""
        out = {"model.command": self.arguments}
        out |= {f"model.env.{name}": (parse(text_of(value) or ""),) for name, value in self.env.items()}
        if (file := self.metrics.file_template) is not None:
            out["model.metrics.file"] = (file,)
        return out

    def start(self, folder: Path) -> Path | None:
        """Return the folder in which the command is started, None for the trial's own; `folder` is the config's."""
        if self.cwd == "trial":
            return None
        return folder if self.cwd == "config" else folder / self.cwd

    def uses(self, name: str) -> bool:
        """Return whether a placeholder of that name stands anywhere in it."""
        return any(name in template.names for group in self.templates.values() for template in group)

    # -- the protocol -----------------------------------------------------------------------------------------------

    def programs(self) -> list[str]:
        return [self.command if isinstance(self.command, str) else shlex.join(map(str, self.arguments))]

    def folds(self, evaluate: EvaluateSpec) -> int:
        return evaluate.cv if self.uses("fold") and isinstance(evaluate.cv, int) else 1

    def check(self, space: SearchSpace, evaluate: EvaluateSpec, folder: Path) -> list[Finding]:
        from hptune.models.command_checks import check

        return check(self, space, evaluate, folder)

    def measure(self, values: Mapping[str, Any], call: Call, *, load: Loader) -> Any:
        """Run the command and return its metrics by name.

        Raises `TrialFailed` for a program that fails or leaves no metrics, `Invalid` for a metric that is no finite
        number.
        """
        del load
        from hptune.worker.failures import finite

        with _work_folder(call) as work:
            found = Context(self, values, call, work).run()
        return {name: finite(value, name) for name, value in found.items()}


@contextlib.contextmanager
def _work_folder(call: Call) -> Iterator[Path]:
    """Give the trial's own folder, made if need be; without a run directory a temporary one."""
    if call.work is None:
        with tempfile.TemporaryDirectory(prefix="hptune-") as folder:
            yield Path(folder).resolve()
    else:
        yield Path(call.work).absolute()


@dataclass(frozen=True)
class Context:
    """One run of a command: its values, the call, and the trial's own folder `work`."""

    model: CommandModel
    values: Mapping[str, Any]
    call: Call
    work: Path

    @cached_property
    def own(self) -> Path:
        """The folder of this run: the trial's, below it one for each fold if the command is told its fold."""
        return self.work / f"fold-{self.call.fold}" if self.model.uses("fold") else self.work

    @cached_property
    def texts(self) -> dict[str, str | None]:
        """What stands for each placeholder; None for what is to be left out."""
        fidelity = self.call.fidelity
        if fidelity is not None and float(fidelity).is_integer():
            fidelity = int(fidelity)  # `--epochs 27.0` is refused by programs that count
        texts: dict[str, str | None] = {name: text_of(value) for name, value in self.values.items()}
        texts |= {
            "result_file": str(self.own / "result.json"),
            "params_file": str(self.own / "params.json"),
            "work_dir": str(self.own),
            "config_dir": str(Path(self.call.folder).absolute()),
            "python": sys.executable,
            "trial": str(self.call.trial),
            "seed": str(self.call.seed),
            "fold": str(self.call.fold),
            "fidelity": text_of(fidelity),
            "slot": str(slot_number(os.environ.get(WORKER_VARIABLE, ""))),
        }
        for group in self.model.templates.values():
            for name in (name for template in group for name in template.names):
                texts.setdefault(name, None)  # an inactive parameter; unknown names were refused beforehand
        return texts

    def fill(self, template: Template) -> str | None:
        """Return an argument's text, None if it is to be left out; raises `Absent`."""
        return self._filled(template, shlex.quote if self.model.shell else str)

    def plain(self, template: Template) -> str | None:
        """Return the text of what no shell reads: a variable's value, a file's name."""
        return self._filled(template, str)

    def _filled(self, template: Template, quote: Callable[[str], str]) -> str | None:
        inactive = self.model.inactive  # not quoted: it is the config's own text, as the line is
        texts = {name: self.texts[name] for name in template.names}
        return template.fill({name: inactive if text is None else quote(text) for name, text in texts.items()})

    def arguments(self) -> list[str]:
        """Return the program and its arguments with everything filled in; raises `Absent`."""
        templates = self.model.arguments
        if self.model.shell:
            return [SHELL, "-c", self.fill(templates[0]) or ""]
        out: list[str] = []
        for number, template in enumerate(templates):
            text = self.fill(template)
            if text is not None:
                out.append(text)
            elif number > 1 and is_flag(templates[number - 1]):
                out.pop()
        return out

    def environment(self) -> dict[str, str]:
        """Return the command's environment: the worker's, the values, and the config's own variables."""
        own = {
            "PYTHONUNBUFFERED": "1",  # else the log of a Python program that is killed would be empty
            "HPTUNE_PARAMS": json.dumps(dict(self.values)),
        }
        own |= {f"HPTUNE_{name.upper()}": text for name in OWN_NAMES if (text := self.texts[name]) is not None}
        out = {**os.environ, **own}
        for name in self.model.env:
            text = self.plain(self.model.templates[f"model.env.{name}"][0])
            if text is None:
                out.pop(name, None)
            else:
                out[name] = text
        return out

    def run(self) -> dict[str, Any]:
        """Run the command and return the wanted metrics, unchecked; raises `TrialFailed`."""
        from hptune.models.command_process import failure_of, run, say

        try:
            folder = self.model.start(Path(self.call.folder).absolute()) or self.own
            arguments, environment = self.arguments(), self.environment()
            reader = self._prepared(folder)
            say(f"[hptune: trial {self.call.trial}: {shlex.join(arguments)}]")
            ended = run(
                arguments, folder=str(folder), environment=environment, take=reader.line, stderr_too=reader.stderr_too
            )
        except (OSError, ValueError) as error:
            raise TrialFailed(Failure("error", f"the command cannot be started: {error}")) from error
        tail = "\n".join(ended.tail) or None
        if ended.code != 0:
            raise TrialFailed(failure_of(ended, shell=self.model.shell))
        try:
            return chosen(reader.found(), self.call.metrics, reader.where)
        except ValueError as error:
            raise TrialFailed(Failure("invalid", str(error), tail)) from None

    def _prepared(self, folder: Path) -> Reader:
        """Write the values' file, remove an earlier attempt's result, and return what will read the new one."""
        self.own.mkdir(parents=True, exist_ok=True)
        for ours in (self.work, self.own):
            if ours.is_symlink():
                raise ValueError(f"{ours} is a link, which may lead out of the run directory; remove it")
        params = Path(self.texts["params_file"] or "")
        params.unlink(missing_ok=True)  # not written through, should it be a link
        params.write_text(json.dumps(dict(self.values), indent=2) + "\n")
        template = self.model.metrics.file_template
        if template is None:
            return self.model.metrics.reader(None)
        path = folder / (self.plain(template) or "")
        if path.is_relative_to(self.own):  # elsewhere nothing is deleted, and the reader looks at the file's time
            path.unlink(missing_ok=True)
        return self.model.metrics.reader(path)


def is_flag(template: Template) -> bool:
    """Return whether an argument is an option's name alone, which goes when the value after it is left out."""
    if any(isinstance(part, Placeholder) for part in template.parts):
        return False
    text = str(template.parts[0])
    return text.startswith("-") and text not in ("-", "--") and "=" not in text


def slot_number(worker: str) -> int:
    """Return the number at the end of a worker's name (process-3), 0 if there is none."""
    match = re.search(r"(\d+)$", worker)
    return int(match[1]) if match else 0
