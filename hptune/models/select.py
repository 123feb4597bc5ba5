"""Which columns a part of a ColumnTransformer gets: `select:` in YAML, and the selector it stands for.

    select: number                     a kind of column: number, text, category, boolean, datetime
    select: {dtype: [text, category]}  several kinds
    select: colour                     one column by its name
    select: [colour, size]             columns by name (by position, [0, 3], where the data is an array)
    select: {regex: "^temp_"}          columns whose name holds a match

Kinds and expressions are looked up by scikit-learn's own `make_column_selector` when the model is fitted: it is kept
with the model, and it sees the whole table's types, so that all folds agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag

from hptune.models.regex import groups_in
from hptune.spec import Spec

Kind = Literal["number", "text", "category", "boolean", "datetime"]
KINDS: tuple[str, ...] = get_args(Kind)

# pandas' words. "object" alone would miss the `str` of pandas 3 one day and warns until then; "string" is both that
# one and the older nullable text. pandas counts time spans among the numbers: no estimator takes them.
_INCLUDE: dict[str, tuple[str, ...]] = {
    "number": ("number",),
    "text": ("object", "string"),
    "category": ("category",),
    "boolean": ("bool", "boolean"),
    "datetime": ("datetime", "datetimetz"),
}


def _expression(text: str) -> str:
    try:
        groups = groups_in(text)
    except ValueError as error:
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        raise ValueError(f"expected a regular expression, found {shown!r}: {error}") from None
    if groups:  # pandas warns of these in every fit
        raise ValueError(f"expected a regular expression without groups, found {text!r}: write (?:...) for (...)")
    return text


class ByDtype(Spec):
    """Columns of some kinds."""

    dtype: list[Kind] = Field(min_length=1)
    """number, text, category, boolean, datetime."""


class ByRegex(Spec):
    """Columns by their names."""

    regex: Annotated[str, AfterValidator(_expression)]
    """A regular expression; a match anywhere in the name counts."""


def _form(value: Any) -> str | None:
    match value:
        case str():
            return "<kind>" if value in KINDS else "<name>"
        case [int(), *_]:
            return "<positions>"
        case list() | tuple():
            return "<names>"
        case ByDtype():
            return "<dtype>"
        case ByRegex():
            return "<regex>"
        case Mapping():
            return next((f"<{key}>" for key in ("regex", "dtype") if key in value), None)
    return None


Select = Annotated[
    Annotated[Kind, Tag("<kind>")]
    | Annotated[
        str,
        Field(min_length=1, json_schema_extra={"not": {"enum": list(KINDS)}}),
        AfterValidator(lambda name: [name]),
        Tag("<name>"),
    ]
    | Annotated[list[str], Field(min_length=1), Tag("<names>")]
    | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Tag("<positions>")]
    | Annotated[ByDtype, Tag("<dtype>")]
    | Annotated[ByRegex, Tag("<regex>")],
    Discriminator(
        _form,
        custom_error_type="select",
        custom_error_message=(
            f"expected {', '.join(KINDS)}, a column's name, a list of names, {{dtype: [...]}} or {{regex: ...}}"
        ),
    ),
]


def selector(select: str | list[str] | list[int] | ByDtype | ByRegex) -> Any:
    """Return what scikit-learn's ColumnTransformer takes for the columns; worker only."""
    from sklearn.compose import make_column_selector

    if isinstance(select, ByRegex):
        return make_column_selector(pattern=select.regex)
    if isinstance(select, list):
        return list(select)
    kinds = select.dtype if isinstance(select, ByDtype) else [select]
    include = [word for kind in kinds for word in _INCLUDE[kind]]
    return make_column_selector(dtype_include=include, dtype_exclude="timedelta" if "number" in kinds else None)


def selected(select: str | list[str] | list[int] | ByDtype | ByRegex, X: Any) -> list[str]:
    """Return the names of the columns of a DataFrame that are selected; worker only.

    Names that it does not have are left out.
    """
    found = selector(select)
    if callable(found):
        return [str(name) for name in found(X)]
    columns = [str(name) for name in X.columns]
    named = [columns[one] if isinstance(one, int) and one < len(columns) else one for one in found]
    return [one for one in named if one in columns]
