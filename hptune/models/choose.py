"""`model: {choose: {ridge: ..., svr: ...}}`: the choice is called `model`, a parameter `model.ridge.alpha`."""

from __future__ import annotations

from typing import ClassVar

from hptune.models.node_model import NodeModel
from hptune.models.nodes import ChooseNode, Node


class ChooseModel(NodeModel, ChooseNode):
    """One of several estimators, which of them being a choice of the search."""

    key: ClassVar[str] = "choose"

    @property
    def node(self) -> Node:
        return self
