"""The door: a config file (with overrides) as a `Loaded`, or a `ConfigError` with everything wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hptune.conditions import Constraint
from hptune.config import asked, checks, fidelity, overrides
from hptune.config.extends import KEY as EXTENDS
from hptune.config.extends import extended
from hptune.config.files import Unreadable, contents
from hptune.config.problems import problems_of
from hptune.config.sources import Severity, Sources
from hptune.config.space import declare
from hptune.config.space_rules import Declared
from hptune.config.specs import Model, StudyConfig
from hptune.config.spelling import Spelling
from hptune.config.yaml_loader import Document, load_text
from hptune.errors import ConfigError, Problem
from hptune.model import ModelSpec
from hptune.resource import Resource
from hptune.space import SearchSpace


@dataclass(frozen=True)
class Loaded:
    """A config that is well-formed, with all that is known of it before anything it names is imported.

    `space` is the declared space with its constraints; `later` are constraints on parameters that only a hypermodel's
    recording will know, by their key path. `resource` is what the oracle may give trials less of. `starts` are the
    configurations to try after the defaults, as far as the config gives them.
    `file` is the config as it was named, `folder` where its relative paths start (its own folder, or `base:`).
    `warnings` do not stand in the way of a run.
    """

    config: StudyConfig
    space: SearchSpace
    starts: tuple[dict[str, Any], ...]
    file: str
    folder: Path
    sources: Sources
    own_code: bool = True
    """Whether modules in `folder` count as the config's own: not if `base:` points where the config does not lie."""
    later: Mapping[str, Constraint] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    declared: Declared = field(default_factory=Declared, repr=False)
    resource: Resource | None = None
    spelling: Spelling = field(default_factory=Spelling, repr=False)

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The whole config as plain data: overrides, `extends` and `${...}` done, defaults (of what has an effect) and
        aliases written out. A valid config itself."""
        plain = self.config.model_dump(mode="json", by_alias=True)
        for key in checks.without_effect(self.config):
            del plain["evaluate"][key]
        if self.config.asked:
            plain = asked.effective(plain)
        plain["space"] = self.declared.plain_space
        plain["constraints"] = self.declared.plain_constraints
        plain["start_with"] = self.declared.plain_starts
        return {key: value for key, value in plain.items() if value is not None}

    def problem(self, key: str, message: str, severity: str = "error") -> Problem:
        """Return a problem with the dotted key path `key`, at its line (or naming the override it came from)."""
        if fidelity.told_elsewhere(key, self.resource, self.spelling):
            key = "oracle.resource"
        kind: Severity = "warning" if severity == "warning" else "error"
        return self.sources.problem_at(key, message, kind, spelled=self.spelling.key(key))


def load(path: str | Path, override: Iterable[str] = ()) -> Loaded:
    """Return the config in the file `path` with the overrides (`key.path=value`).

    Raises ConfigError with every problem found, each with its line or its override.
    """
    try:
        text = contents(Path(path))
    except Unreadable as error:
        raise ConfigError([_refused(str(path), str(error))]) from None
    return load_document(load_text(text, str(path)), Path(path).resolve().parent, override)


def load_document(document: Document, folder: Path, override: Iterable[str] = ()) -> Loaded:
    """Return the config that a document holds, as `load` does; `folder` is where its relative paths start."""
    value = document.value
    if not isinstance(value, dict):
        what = "an empty file" if value is None else "a list" if isinstance(value, list) else "a single value"
        mend = "; `hptune init` writes a config to begin with" if value is None else ""
        raise ConfigError([_refused(document.file, f"expected a mapping of keys such as model:, found {what}{mend}")])
    document = extended(document, folder)
    value, origins = overrides.apply(document.value, override)
    sources = Sources(document, value, origins)
    problems: list[Problem] = []
    if EXTENDS in value:
        problems.append(sources.problem((EXTENDS,), "can be named in a config only, not with -o", on_key=True))
        del value[EXTENDS]
    config = _validated(_named(value, document.file), sources, problems)
    resource = fidelity.resource_of(config)
    model = config.model if config is not None else _model(value)
    spelling = Spelling.of(model, value.get("space"))
    declared = declare(model, fidelity.with_parameter(value, resource, spelling), sources)
    problems += fidelity.moved(declared.problems, resource, sources, spelling)
    base = folder if config is None or config.base is None else (folder / config.base).resolve()
    if config is not None:
        problems += checks.cross_checks(config, sources)
        problems += asked.checks(config, sources)
        if not config.asked:
            problems += fidelity.checks(config, declared, resource, sources, spelling)
        if declared.space is not None:
            problems += checks.model_checks(config, declared.space, base, sources, spelling)
    if base != folder and not base.is_dir():
        problems.append(
            sources.problem_at(
                "base", f"there is no folder {base}; name the one where this config's paths start", "error"
            )
        )
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or config is None or declared.space is None:
        raise ConfigError(_ordered(problems, document.file))
    return Loaded(
        config=config,
        space=declared.space,
        starts=declared.starts,
        file=document.file,
        folder=base,
        own_code=folder.is_relative_to(base),
        sources=sources,
        later=declared.later,
        warnings=tuple(_ordered(problems, document.file)),
        declared=declared,
        resource=resource,
        spelling=spelling,
    )


def _ordered(problems: Iterable[Problem], file: str) -> list[Problem]:
    """Return the problems in the order of the file, then of those it extends, those of overrides last, each once."""
    once = dict.fromkeys(problems)
    return sorted(
        once, key=lambda one: (one.line is None, one.file != file, one.file or "", one.line or 0, one.column or 0)
    )


def _validated(value: Mapping[str, Any], sources: Sources, problems: list[Problem]) -> StudyConfig | None:
    unnamed = checks.kinds_that_are_no_text(value, sources)
    if unnamed:
        problems += unnamed
        return None
    # By way of JSON, because there lists validate as tuples even where text is not taken for numbers (strict).
    try:
        return StudyConfig.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        problems += problems_of(error, StudyConfig, sources)
        return None


def _model(value: Mapping[str, Any]) -> ModelSpec | None:
    """Return the model of a config that is wrong elsewhere, so that its space is checked all the same."""
    try:
        return TypeAdapter(Model).validate_json(json.dumps(value.get("model")), strict=True)
    except ValidationError:
        return None


def _named(value: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return the config with the file's name as its name, if it has none."""
    if value.get("name") is not None:
        return dict(value)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem)[:64].strip("-")
    return {**value, "name": stem or "study"}


def _refused(file: str, message: str) -> Problem:
    return Problem("", message, file, 1, 1)
