"""`model: {class: sklearn.svm.SVR, params: {...}}`: one estimator; its parameters' paths are their plain names."""

from __future__ import annotations

from typing import ClassVar

from hptune.models.node_model import NodeModel
from hptune.models.nodes import ClassNode, Node


class ClassModel(NodeModel, ClassNode):
    """One estimator class, with the parameters that are not searched."""

    key: ClassVar[str] = "class"

    @property
    def node(self) -> Node:
        return self
