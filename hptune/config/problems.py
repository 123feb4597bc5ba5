"""From pydantic's errors to `Problem`s: file, line, key path, and in people's words what to do.

Pydantic's `loc` mixes keys with the names of union members. Walking the core schema along it tells them apart; the
errors of a union's members about one value become one problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from hptune.config.elsewhere import key_meant, mapping_meant
from hptune.config.paths import Path
from hptune.config.sources import Sources
from hptune.config.wording import expectation, found, hint
from hptune.config.yaml_syntax import after_colon
from hptune.errors import Problem, did_you_mean

_DEPTH = 400  # of nested wrappers in a core schema; only a fault of ours could exceed it


def problems_of(error: ValidationError, model: type[BaseModel], sources: Sources, root: Path = ()) -> list[Problem]:
    """Return the problems behind a validation error of `model`, in the order in which they stand in the file.

    `root` is where the validated part stands in the config.
    """
    schema = _Schema(model)
    groups: dict[tuple[Path, str], list[Mapping[str, Any]]] = {}
    known: dict[Path, Sequence[str]] = {}
    for one in error.errors(include_url=False):
        if one["type"] == "default_factory_not_called":  # the consequence of another problem
            continue
        path, keys = schema.follow(one["loc"])
        kind = one["type"] if one["type"] in ("missing", "extra_forbidden") else ""
        path = (*root, *path)
        groups.setdefault((path, kind), []).append(one)
        known[path] = keys
    out = [_problem(path, kind, errors, known[path], sources) for (path, kind), errors in groups.items()]
    return sorted(out, key=lambda problem: (problem.line or 0, problem.column or 0))


def _problem(
    path: Path, kind: str, errors: list[Mapping[str, Any]], known: Sequence[str], sources: Sources
) -> Problem:
    if kind == "extra_forbidden":
        meant = key_meant(path, errors[0]["input"])
        message = f"unknown key{meant}" if meant else unknown_key(str(path[-1]), known)
        return sources.problem(path, message, on_key=True)
    if kind == "missing":
        example = _EXAMPLES.get(".".join(map(str, path)), "")
        mend = f"; such as `{example}`" if example else ""
        return sources.problem(path, f"expected this key, found none{mend}", at=path[:-1], on_key=True)
    value = errors[0]["input"]
    custom = next((one for one in errors if one["type"] in _OUR_WORDS), None)
    if custom is not None and custom["type"] == "estimator" and isinstance(value, dict) and value:
        near = next(
            (
                text
                for key in value
                if (text := did_you_mean(key, ("class", "choose", "pipeline", "columns", "function")))
            ),
            "",
        )
        return sources.problem(path, f"{custom['msg']}, found {', '.join(map(str, value))}{near}")
    if custom is not None:
        found_out = _own_words(path, str(custom["msg"]).removeprefix("Value error, "), value, sources)
        meant = mapping_meant(path, value)
        return replace(found_out, message=found_out.message.partition("; did you")[0] + meant) if meant else found_out
    wanted = " or ".join(dict.fromkeys(expectation(one) for one in errors))
    return sources.problem(
        path, f"expected {wanted}, found {found(value)}{mapping_meant(path, value) or hint(errors, value)}"
    )


_EXAMPLES = {
    "model": "model: {class: sklearn.linear_model.Ridge}",
    "data.train": "train: table.csv",
    "data.target": "target: price",
}
_OUR_WORDS = (
    "value_error",
    "estimator",
    "alternatives",
    "select",
)  # messages written by hptune's validators and unions


def _own_words(path: Path, message: str, value: Any, sources: Sources) -> Problem:
    """Return the problem in the words of a validator, moved to the key its message begins with, if it does."""
    key, colon, rest = message.partition(": ")
    if colon and isinstance(value, dict) and key in value:
        return sources.problem((*path, key), rest)
    if not message.startswith("expected") or ", found " in message or isinstance(value, (dict, list)):
        return sources.problem(path, message)
    return sources.problem(path, f"{message}, found {found(value)}")


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Return the message for a key that does not exist where these do."""
    merged = re.fullmatch(r"""([A-Za-z_][\w.-]*):([{\["'].*)""", key, re.DOTALL)
    if merged:  # `budget:{trials: 4}` is a mapping whose key is `budget:{trials`, if nothing else is wrong
        rest = after_colon(merged[2][0])
        return f"unknown key; is a space missing after the colon? Write `{merged[1]}: {rest}`"
    close = did_you_mean(key, known)
    if close or not known:
        return f"unknown key{close}"
    if list(known) == ["type"]:
        return "unknown key; there are no options here but `type`"
    return f"unknown key; expected one of {', '.join(known)}"


@dataclass
class _Schema:
    """A model's core schema, as far as finding one's way along a `loc` needs it."""

    model: type[BaseModel]
    definitions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def follow(self, loc: tuple[int | str, ...]) -> tuple[Path, tuple[str, ...]]:
        """Return the keys in `loc`, and the keys that are known where its last one stands."""
        node: Mapping[str, Any] = self.model.__pydantic_core_schema__
        path: list[int | str] = []
        keys: tuple[str, ...] = ()
        for part in loc:
            node = self._plain(node)
            match node.get("type"):
                case "tagged-union":
                    node = node["choices"].get(part, {})
                    continue
                case "union":
                    node = self._member(node, str(part))
                    continue
                case "model-fields":
                    fields = self._fields(node)
                    keys = tuple(fields)
                    node = fields.get(str(part), {})
                case "dict":
                    node = node.get("values_schema", {})
                case "list" | "set" | "frozenset":
                    node = node.get("items_schema", {})
                case _:
                    node = {}
            if part == "[key]":
                continue
            path.append(part)
        return tuple(path), keys

    def _plain(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema inside wrappers (defaults, validators, nullable, models, references)."""
        for _ in range(_DEPTH):
            if node.get("type") == "definitions":
                self.definitions.update((one["ref"], one) for one in node["definitions"])
                node = node["schema"]
            elif node.get("type") == "definition-ref":
                node = self.definitions[node["schema_ref"]]
            elif (
                node.get("type") not in ("tagged-union", "union", "model-fields", "dict", "list") and "schema" in node
            ):
                node = node["schema"]
            else:
                break
        return node

    def _fields(self, node: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """Return the schemas of a model's fields by the names they have in YAML."""
        out: dict[str, Mapping[str, Any]] = {}
        for name, one in node["fields"].items():
            alias = one.get("validation_alias")
            out[alias if isinstance(alias, str) else name] = one["schema"]
        return out

    def _member(self, node: Mapping[str, Any], label: str) -> Mapping[str, Any]:
        """Return the union's member that pydantic calls `label`, as far as a path can go on below it."""
        for choice in self._members(node):
            if choice.get("type") == "model" and choice["cls"].__name__ == label:
                return choice
        return {}

    def _members(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for choice in node["choices"]:
            yield choice[0] if isinstance(choice, tuple) else choice
