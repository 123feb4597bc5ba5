"""The base of every options object: a policy *is* its options, so the YAML validates straight into what will act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from hptune.plugins import no_plugins

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class Deferred(BaseModel):
    """A model that pydantic builds when it is first used, and without looking for its plugins."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(cls, *, _parent_namespace_depth: int = 2, **options: Any) -> bool | None:
        """Build what was deferred, as pydantic does."""
        with no_plugins():
            return super().model_rebuild(_parent_namespace_depth=_parent_namespace_depth + 1, **options)


class Spec(Deferred):
    """A frozen, strictly checked set of options; an unknown key is an error.

    The docstrings below its fields are their descriptions in the JSON schema.
    """

    # Deferred: of the fifty specs, each process uses a few.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from hptune.attribute_docs import attribute_docs

        schema = handler(core)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        named = {field.alias or name: name for name, field in cls.model_fields.items()}
        docs = attribute_docs(cls)
        for key, told in properties.items():
            if (doc := docs.get(named.get(key, key))) is not None:
                told.setdefault("description", doc)
        return schema
