"""The grammar of estimators in YAML, and the names it gives to their parameters. Pure: nothing is imported or built.

    sklearn.svm.SVR                               a class with its own defaults
    {class: sklearn.svm.SVR, params: {C: 3}}      a class with parameters; a value may itself be a node
    {choose: [node, ...]} or {choose: {name: node}}
    {pipeline: [{step: node}, ...]}
    {columns: [{name: {select: ..., with: node}}, ...], remainder: node}     `models.select` says which columns
    {function: numpy.log1p}                       a function as the value of a parameter
    passthrough, drop                             a pipeline step that does nothing; columns left out

A parameter may also take a list of named nodes, as stacking and voting do: `estimators: [{rf: node}, {svc: node}]`.
A list of alternatives is named by the last parts of their class paths. `models.paths` says how parameters are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    Tag,
    field_validator,
)
from pydantic_core import CoreSchema

from hptune.models.select import Select
from hptune.plugins import no_plugins
from hptune.spaces import SPACES
from hptune.spec import Deferred, Spec

with no_plugins():
    from pydantic import RootModel

PASSTHROUGH = "passthrough"
DROP = "drop"
REMAINDER = "remainder"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def dotted(name: str) -> str:
    """Return `name` if it is a dotted path (`package.module.Name`, `package.module:Name`), else raise ValueError."""
    if not _DOTTED.fullmatch(name):
        known = SPACES.get(name)
        example = "sklearn.svm.SVC" if known is None else known.class_path
        raise ValueError(f"expected a dotted path such as {example}, found {name!r}")
    return name


def _named(name: str, what: str) -> str:
    if not _NAME.fullmatch(name) or "__" in name:
        raise ValueError(f"{what} {name!r}: expected letters, digits, - and single _ (the name is part of paths)")
    return name


def _each_once(listed: Sequence[Mapping[str, Any]], what: str) -> None:
    """Raise ValueError unless these are mappings with one key each, no key twice."""
    seen: set[str] = set()
    for number, one in enumerate(listed):
        if len(one) != 1:
            found = ", ".join(one) or "nothing"
            raise ValueError(f"{what} {number + 1}: expected one `name: estimator`, found {found}")
        (name,) = one
        _named(name, f"the {what}")
        if name in seen:
            raise ValueError(f"two {what}s are called {name!r}")
        seen.add(name)


class ClassNode(Spec):
    """An estimator class and the parameters it is built with."""

    model_config = ConfigDict(serialize_by_alias=True)

    class_: Annotated[str, AfterValidator(dotted)] = Field(alias="class")
    """The dotted path of an estimator class, e.g. sklearn.linear_model.Ridge."""
    params: dict[str, Param] = Field(default_factory=dict)
    """Constructor parameters that are not searched; a value may be another estimator ({class: ...}) or a mapping, by
    class for class_weight: {0: 1, 1: 5}."""

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
            if not isinstance(node, (ClassNode, FunctionNode, str)):
                kind = next(iter(type(node).model_fields))
                raise ValueError(f"a {kind} among the alternatives needs a name: choose: {{name: ...}}")
            names.append(node if isinstance(node, str) else node.name)
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
        _each_once(pipeline, "step")
        for step in pipeline:
            for name, node in step.items():
                _no_step(name, node)
        return pipeline

    @property
    def steps(self) -> dict[str, Node]:
        """The steps by name, in order."""
        return {name: node for step in self.pipeline for name, node in step.items()}


def _no_step(name: str, node: Node) -> None:
    """Raise ValueError for a node that cannot be a step of a pipeline."""
    for one in node.alternatives.values() if isinstance(node, ChooseNode) else (node,):
        if one == DROP:
            raise ValueError(f"the step {name!r}: drop leaves out columns; for a step write passthrough")
        if isinstance(one, FunctionNode):
            func = f"{{func: {{function: {one.function}}}}}"
            mend = f"{{class: sklearn.preprocessing.FunctionTransformer, params: {func}}}"
            raise ValueError(f"the step {name!r}: expected an estimator, found a function; write {mend}")


class Part(Spec):
    """Some columns, and what is made of them."""

    model_config = ConfigDict(serialize_by_alias=True)

    select: Select
    """Which columns: number, text, category, boolean, datetime, a name, a list of names, {dtype: [...]}, {regex: ...}."""
    with_: Node = Field(alias="with")
    """The estimator they go through; passthrough keeps them as they are, drop leaves them out."""


def _has_a_name(part: Any) -> Any:
    """Refuse a part without a name where the message can say so: its keys would be taken for names."""
    if isinstance(part, Mapping) and part and part.keys() <= {"select", "with"}:
        named = [one for one in part.values() if isinstance(one, Mapping) and "select" in one]
        if not named:
            raise ValueError("a part without a name; give it one: `- numbers: {select: ..., with: ...}`")
    return part


class ColumnsNode(Spec):
    """A ColumnTransformer: different columns go through different estimators, what comes out stands side by side."""

    columns: list[Annotated[dict[str, Part], BeforeValidator(_has_a_name)]] = Field(min_length=1)
    """The parts in order, each `name: {select: ..., with: estimator}`."""
    remainder: Node | None = None
    """What is made of columns that no part selects: drop (the default), passthrough or an estimator."""

    @field_validator("columns")
    @classmethod
    def _checked(cls, columns: list[dict[str, Part]]) -> list[dict[str, Part]]:
        _each_once(columns, "part")
        if any(REMAINDER in part for part in columns):
            raise ValueError(f"a part called {REMAINDER!r}: its parameters would be those of `remainder:`; rename it")
        return columns

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name, in order."""
        return {name: part for one in self.columns for name, part in one.items()}


class FunctionNode(Spec):
    """A function as the value of a parameter."""

    function: Annotated[str, AfterValidator(dotted)]
    """The dotted path of a function, e.g. numpy.log1p or my_module:func."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return re.split(r"[.:]", self.function)[-1]


class NamedEstimators(Deferred, RootModel[list[dict[str, "Node"]]]):
    """The value of a parameter that takes a list of (name, estimator): those of stacking, voting, FeatureUnion."""

    model_config = ConfigDict(frozen=True)

    @field_validator("root")
    @classmethod
    def _checked(cls, root: list[dict[str, Node]]) -> list[dict[str, Node]]:
        _each_once(root, "estimator")
        return root

    @property
    def estimators(self) -> dict[str, Node]:
        """The estimators by name, in order."""
        return {name: node for one in self.root for name, node in one.items()}


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
        return f"<{value}>" if value in (PASSTHROUGH, DROP) else "<name>"
    for kind, field in _FIELDS.items():
        if isinstance(value, kind) or (isinstance(value, Mapping) and field in value):
            return f"<{field}>"
    return "<class>" if isinstance(value, Mapping) and "class_" in value else None


def _param_shape(value: Any) -> str:
    if isinstance(value, NamedEstimators) or (isinstance(value, (list, tuple)) and _names_estimators(value)):
        return "<estimators>"
    return "<value>" if isinstance(value, str) else _shape(value) or "<value>"


def _names_estimators(listed: Sequence[Any]) -> bool:
    """Return whether a list holds `name: estimator` entries; one of them that is one is enough to tell."""
    if not all(isinstance(one, Mapping) and len(one) == 1 for one in listed):
        return False
    nodes = [node for one in listed for node in one.values()]
    return any(_shape(one) if not isinstance(one, str) else _is_node(one) for one in nodes)


def _is_node(text: str) -> bool:
    return text in (PASSTHROUGH, DROP) or _DOTTED.fullmatch(text) is not None


def _choose_shape(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return "<names>"
    return "<list>" if isinstance(value, (list, tuple)) else None


_FIELDS: dict[type[Spec], str] = {
    ClassNode: "class",
    ChooseNode: "choose",
    PipelineNode: "pipeline",
    ColumnsNode: "columns",
    FunctionNode: "function",
}
_FORMS = "expected a class path, {class: ...}, {choose: ...}, {pipeline: [...]}, {columns: [...]} or passthrough"
Node = Annotated[
    Annotated[Literal["passthrough"], Tag("<passthrough>")]
    | Annotated[Literal["drop"], Tag("<drop>")]
    | Annotated[str, AfterValidator(dotted), AfterValidator(lambda name: ClassNode(class_=name)), Tag("<name>")]
    | Annotated["ClassNode", Tag("<class>")]
    | Annotated["ChooseNode", Tag("<choose>")]
    | Annotated["PipelineNode", Tag("<pipeline>")]
    | Annotated["ColumnsNode", Tag("<columns>")]
    | Annotated["FunctionNode", Tag("<function>")],
    Discriminator(_shape, custom_error_type="estimator", custom_error_message=_FORMS),
    _AnyOf(),
]
Param = Annotated[
    Annotated["ClassNode", Tag("<class>")]
    | Annotated["ChooseNode", Tag("<choose>")]
    | Annotated["PipelineNode", Tag("<pipeline>")]
    | Annotated["ColumnsNode", Tag("<columns>")]
    | Annotated["FunctionNode", Tag("<function>")]
    | Annotated["NamedEstimators", Tag("<estimators>")]
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
for _spec in (
    ClassNode,
    ChooseNode,
    PipelineNode,
):  # those that kinds of `model:` derive from, in modules without `Param`
    _spec.model_rebuild()
