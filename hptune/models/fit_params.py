"""`fit_params:`, what the model's `fit` is given beside X and y, and where in the model each goes. Pure.

    fit_params: {clf.sample_weight: weights}       the column that data.weights names, to the step `clf`
    fit_params: {clf.gbm.verbose: false}           a constant, where the choose `clf` is `gbm`

A name is the way to a step, as in `space:`, and the name of an argument of that step's `fit`. scikit-learn hands such
arguments through pipelines only; what a nested estimator gets, the estimator around it decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from hptune.errors import did_you_mean
from hptune.model import ParentValue
from hptune.models.nodes import ChooseNode, PipelineNode
from hptune.models.paths import ROOT_CHOICE, Place

WEIGHTS = "weights"  # the value that stands for the data's weights


@dataclass(frozen=True)
class Route:
    """Where an argument goes: through these steps, under these choices, as this argument of `fit`.

    `optional` means that it stands above a choose: it goes to those of the alternatives that take it.
    """

    steps: tuple[str, ...]
    argument: str
    conditions: tuple[ParentValue, ...] = ()
    optional: bool = False

    @property
    def keyword(self) -> str:
        """The argument as scikit-learn's pipelines take it: `clf__sample_weight`."""
        return "__".join([*self.steps, self.argument])


def route(root: Place, name: str) -> Route:
    """Return where the fit parameter `name` goes; raises ValueError for one that leads to no step's `fit`."""
    parts = name.replace("__", ".").split(".")
    if not all(parts):
        raise ValueError(f"{name!r}: expected names joined by single dots")
    if isinstance(root.node, ChooseNode) and parts[0] == ROOT_CHOICE:
        parts = parts[1:]
    place, steps, optional = root, [], False
    while isinstance(place.node, (ChooseNode, PipelineNode)):
        children = place.children()
        if len(parts) > 1 and parts[0] in children:
            if isinstance(place.node, PipelineNode):
                steps.append(parts[0])
            place, parts = children[parts[0]], parts[1:]
        elif isinstance(place.node, ChooseNode) and len(parts) == 1 and not _any_pipeline(place):
            optional = True
            break
        else:
            what = "alternative" if isinstance(place.node, ChooseNode) else "step"
            first = next(iter(children))
            listed = f" ({what}s: {', '.join(children)}); write {first}.{parts[-1]}, if {first} is to get it"
            raise ValueError(f"{name}: no {what} {parts[0]!r}{did_you_mean(parts[0], children) or listed}")
    if len(parts) != 1:
        raise ValueError(
            f"{name}: fit parameters reach the steps of pipelines, expected one argument of fit, "
            f"found {'.'.join(parts) or 'none'}"
        )
    return Route(tuple(steps), parts[0], place.conditions, optional)


def _any_pipeline(choose: Place) -> bool:
    return any(isinstance(one.node, (ChooseNode, PipelineNode)) for one in choose.children().values())
