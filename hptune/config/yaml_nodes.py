"""From events to nodes: plain records of what stands where, with the limits checked before any value is built.

Aliases are followed here. What they would amount to written out is added up, not built, so that a file of a few
lines cannot ask for a billion values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast

import yaml

from hptune.config.yaml_events import Mark, Place, events, place_of, refusal
from hptune.config.yaml_scalars import shortened
from hptune.errors import ConfigError

MOST_DEPTH = 32
MOST_NODES = 30_000

_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(slots=True)
class Node:
    """A scalar (`items` is None), a list, or a mapping (`items` holds keys and values in turn)."""

    mark: Mark | None
    text: str = ""
    plain: bool = False
    single: bool = False  # in single quotes
    mapping: bool = False
    items: list[Node] | None = None
    closed: bool = True
    size: int = 1  # nodes in it, aliases written out
    height: int = 0  # levels of collections in it, its own included

    @property
    def place(self) -> Place:
        """Line and column, from 1."""
        return place_of(self.mark)


class Composer:
    """Turns events into nodes, with the limits checked before anything is built from them."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.anchors: dict[str, Node] = {}
        self.stack: list[Node] = []
        self.nodes = 0

    def refuse(self, message: str, place: Place) -> ConfigError:
        return refusal(self.file, message, *place)

    def compose(self) -> Node | None:
        """Return the document's node, None if the text is empty."""
        self.check_length()
        root: Node | None = None
        for event in events(self.text, self.file):
            if isinstance(event, yaml.NodeEvent):
                node = self.alias(event) if isinstance(event, yaml.AliasEvent) else self.node(event)
                if root is None:
                    root = node
                self.add(node)
            elif isinstance(event, yaml.CollectionEndEvent):
                self.close()
        return root

    def check_length(self) -> None:
        """Count a long text's values before anything is made of them: half the time to a refusal."""
        if len(self.text) < 2 * MOST_NODES:  # a value takes a character and a separator
            return
        depth = 0
        for event in events(self.text, self.file):
            if isinstance(event, yaml.NodeEvent):
                self.count(1, event.start_mark)
                depth += isinstance(event, yaml.CollectionStartEvent)
                self.check_depth(depth, event.start_mark)
            else:
                depth -= isinstance(event, yaml.CollectionEndEvent)
        self.nodes = 0

    def add(self, node: Node) -> None:
        if self.stack:
            parent = self.stack[-1]
            cast("list[Node]", parent.items).append(node)
            if node.closed:
                absorb(parent, node)
        if not node.closed:
            self.stack.append(node)

    def node(self, event: yaml.NodeEvent) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            node = Node(event.start_mark, event.value, event.style in (None, ""), event.style == "'")
            tagged = event.tag is not None or event.implicit == (False, False)
            if not node.plain and _UNSPEAKABLE.search(node.text):
                message = "expected text, found an escape for NUL or for half a character (\\ud800)"
                raise self.refuse(message, node.place)
        else:
            event = cast("yaml.CollectionStartEvent", event)
            node = Node(
                event.start_mark, mapping=isinstance(event, yaml.MappingStartEvent), items=[], closed=False, height=1
            )
            tagged = event.tag is not None
            self.check_depth(len(self.stack) + 1, node.mark)
        if tagged:
            shown = shortened(str(event.tag or "!").replace("tag:yaml.org,2002:", "!!"))
            raise self.refuse(
                f"tags are not used in a config, found {shown}: remove it (quotes make text)", node.place
            )
        self.count(1, node.mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: yaml.AliasEvent) -> Node:
        name = str(event.anchor)
        node = self.anchors.get(name)
        if node is None:
            message = f"*{shortened(name)} refers to no anchor above: quote it if it is text"
            raise self.refuse(message, place_of(event.start_mark))
        if not node.closed:
            message = f"*{shortened(name)} stands inside what it refers to"
            raise self.refuse(message, place_of(event.start_mark))
        copy = replace(node, mark=event.start_mark)
        self.check_depth(len(self.stack) + copy.height, copy.mark)
        self.count(copy.size, copy.mark)
        return copy

    def close(self) -> None:
        node = self.stack.pop()
        node.closed = True
        if self.stack:
            absorb(self.stack[-1], node)

    def check_depth(self, depth: int, mark: Mark | None) -> None:
        if depth > MOST_DEPTH:
            raise self.refuse(f"expected at most {MOST_DEPTH} levels of nesting, found more", place_of(mark))

    def count(self, nodes: int, mark: Mark | None) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            message = f"expected at most {MOST_NODES} values (aliases written out), found more"
            raise self.refuse(message, place_of(mark))


def absorb(parent: Node, child: Node) -> None:
    """Add a finished child's size and height to its parent's."""
    parent.size += child.size
    if child.height >= parent.height:
        parent.height = child.height + 1
