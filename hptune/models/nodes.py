"""The grammar of estimators in YAML, and the names it gives to their parameters. Pure: nothing is imported or built.

    sklearn.svm.SVR                               a class with its own defaults
    {class: sklearn.svm.SVR, params: {C: 3}}      a class with parameters; a value may itself be a node
    {choose: [node, ...]} or {choose: {name: node}}
    {pipeline: [{step: node}, ...]}
    passthrough                                   a pipeline step that does nothing

A list of alternatives is named by the last parts of their class paths. `models.paths` says how parameters are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag, field_validator
from pydantic_core import CoreSchema

from hptune.spec import Spec

PASSTHROUGH = "passthrough"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def dotted(name: str) -> str:
    """Return `name` if it is a dotted path (`package.module.Name`, `package.module:Name`), else raise ValueError."""
    if not _DOTTED.fullmatch(name):
        raise ValueError(f"expected a dotted path such as sklearn.svm.SVC, found {name!r}")
    return name


def _named(name: str, what: str) -> str:
    if not _NAME.fullmatch(name) or "__" in name:
        raise ValueError(f"{what} {name!r}: expected letters, digits, - and single _ (the name is part of paths)")
    return name


class ClassNode(Spec):
    """An estimator class and the parameters it is built with."""

    model_config = ConfigDict(serialize_by_alias=True)

    class_: Annotated[str, AfterValidator(dotted)] = Field(alias="class")
    """The dotted path of an estimator class, e.g. sklearn.linear_model.Ridge."""
    params: dict[str, Param] = Field(default_factory=dict)
    """Constructor parameters that are not searched; a value may be another estimator ({class: ...})."""

    @property
    def name(self) -> str:
        """The last part of the class path."""
        return re.split(r"[.:]", self.class_)[-1]


class ChooseNode(Spec):
    """One of several estimators: a choice parameter of the space."""

    choose: Alternatives
    """The alternatives: a list, named by their classes, or a mapping with names of your own."""

    @field_validator("choose")
    @classmethod
    def _checked(cls, choose: list[Node] | dict[str, Node]) -> list[Node] | dict[str, Node]:
        if not choose:
            raise ValueError("expected at least one alternative")
        names = [_named(name, "the alternative") for name in cls._names(choose)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two alternatives are called {name!r}; name them: choose: {{one: ..., two: ...}}")
        return choose

    @staticmethod
    def _names(choose: list[Node] | dict[str, Node]) -> list[str]:
        if isinstance(choose, dict):
            return list(choose)
        names = []
        for node in choose:
            if not isinstance(node, (ClassNode, str)):
                raise ValueError("a pipeline or choose among the alternatives needs a name: choose: {name: ...}")
            names.append(PASSTHROUGH if isinstance(node, str) else node.name)
        return names

    @property
    def alternatives(self) -> dict[str, Node]:
        """The alternatives by name, in declared order."""
        nodes = self.choose.values() if isinstance(self.choose, dict) else self.choose
        return dict(zip(self._names(self.choose), nodes, strict=True))


class PipelineNode(Spec):
    """Estimators one after the other: all but the last transform."""

    pipeline: list[dict[str, Node]] = Field(min_length=1)
    """The steps in order, each `name: estimator`."""

    @field_validator("pipeline")
    @classmethod
    def _checked(cls, pipeline: list[dict[str, Node]]) -> list[dict[str, Node]]:
        seen: set[str] = set()
        for number, step in enumerate(pipeline):
            if len(step) != 1:
                found = ", ".join(step) or "nothing"
                raise ValueError(f"step {number + 1}: expected one `name: estimator`, found {found}")
            (name,) = step
            _named(name, "the step")
            if name in seen:
                raise ValueError(f"two steps are called {name!r}")
            seen.add(name)
        return pipeline

    @property
    def steps(self) -> dict[str, Node]:
        """The steps by name, in order."""
        return {name: node for step in self.pipeline for name, node in step.items()}


class _AnyOf:
    """Writes a union into the JSON schema as `anyOf`: a string may well match two of its forms."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        return schema


def _shape(value: Any) -> str | None:
    """Return which form of a node this is; the tags turn up in pydantic's `loc`, hence the angle brackets."""
    if isinstance(value, str):
        return "<passthrough>" if value == PASSTHROUGH else "<name>"
    for kind, field, tag in (
        (ClassNode, "class", "<class>"),
        (ChooseNode, "choose", "<choose>"),
        (PipelineNode, "pipeline", "<pipeline>"),
    ):
        if isinstance(value, kind) or (isinstance(value, Mapping) and field in value):
            return tag
    return "<class>" if isinstance(value, Mapping) and "class_" in value else None


def _param_shape(value: Any) -> str:
    return "<value>" if isinstance(value, str) else _shape(value) or "<value>"


def _choose_shape(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return "<names>"
    return "<list>" if isinstance(value, (list, tuple)) else None


_FORMS = "expected a class path, {class: ...}, {choose: ...}, {pipeline: [...]} or passthrough"
Node = Annotated[
    Annotated[Literal["passthrough"], Tag("<passthrough>")]
    | Annotated[str, AfterValidator(dotted), AfterValidator(lambda name: ClassNode(class_=name)), Tag("<name>")]
    | Annotated["ClassNode", Tag("<class>")]
    | Annotated["ChooseNode", Tag("<choose>")]
    | Annotated["PipelineNode", Tag("<pipeline>")],
    Discriminator(_shape, custom_error_type="estimator", custom_error_message=_FORMS),
    _AnyOf(),
]
Param = Annotated[
    Annotated["ClassNode", Tag("<class>")]
    | Annotated["ChooseNode", Tag("<choose>")]
    | Annotated["PipelineNode", Tag("<pipeline>")]
    | Annotated[Any, Tag("<value>")],
    Discriminator(_param_shape),
    _AnyOf(),
]
Alternatives = Annotated[
    Annotated[list[Node], Tag("<list>")] | Annotated[dict[str, Node], Tag("<names>")],
    Discriminator(
        _choose_shape,
        custom_error_type="alternatives",
        custom_error_message="expected a list of estimators or a mapping name: estimator",
    ),
    _AnyOf(),
]
for _spec in (ClassNode, ChooseNode, PipelineNode):
    _spec.model_rebuild()
