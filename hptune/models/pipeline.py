"""`model: {pipeline: [{scale: ...}, {svr: ...}]}`: parameters' paths begin with their step."""

from __future__ import annotations

from typing import ClassVar

from hptune.models.node_model import NodeModel
from hptune.models.nodes import Node, PipelineNode


class PipelineModel(NodeModel, PipelineNode):
    """Estimators one after the other: all but the last transform."""

    key: ClassVar[str] = "pipeline"

    @property
    def node(self) -> Node:
        return self
