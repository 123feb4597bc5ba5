"""Training in epochs: `epochs` is a parameter of every last step that has `partial_fit` and no such parameter itself.

It says how many passes `partial_fit` makes over the rows, in place of `fit` (`models.trained_in_epochs` makes them).
This file says which classes can be trained so, and what is wrong with a config that asks for it. Worker only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hptune.job import Finding
from hptune.models.nodes import ChooseNode, ClassNode, NamedEstimators, Node, PipelineNode
from hptune.models.paths import Place
from hptune.models.signatures import signature
from hptune.parameters import Choice, Fixed, Float, Int, Parameter

EPOCHS: Final = "epochs"

WITHOUT_EFFECT: Final = ("max_iter", "early_stopping", "validation_fraction", "tol", "n_iter_no_change", "max_fun")
"""What `partial_fit` of scikit-learn's estimators does not look at, or refuses."""

OF_NETWORKS: Final = ("tol", "n_iter_no_change")
"""Of these, what the adaptive learning rate of scikit-learn's networks looks at all the same."""


def can_train_in_epochs(cls: Any) -> bool:
    """Return whether `epochs` is hptune's parameter of a class: it has `partial_fit`, and no parameter of that name."""
    known = signature(cls)
    own = EPOCHS in known or any(one.kind is one.VAR_KEYWORD for one in known.values())
    return not own and callable(getattr(cls, "partial_fit", None))


def itself(estimator: Any) -> Any:
    """Return the estimator that is trained in epochs; any other estimator as it is."""
    return estimator.estimator if type(estimator).__module__ == "hptune.models.trained_in_epochs" else estimator


def trained(fitted: Any) -> Any:
    """Return a fitted estimator with a last step trained in epochs in its plain form, which needs no hptune."""
    if hasattr(fitted, "steps"):
        name, last = fitted.steps[-1]
        fitted.steps[-1] = (name, trained(last))
        return fitted
    return fitted if itself(fitted) is fitted else fitted.trained_


# -- what is wrong with a config ------------------------------------------------------------------------------------


def last_steps(place: Place) -> Iterator[str]:
    """Yield the paths of the classes that may be the model's last step."""
    match place.node:
        case ChooseNode():
            for child in place.children().values():
                yield from last_steps(child)
        case PipelineNode():
            yield from last_steps(list(place.children().values())[-1])
        case ClassNode():
            yield place.path


def wrong_number(parameter: Parameter) -> str | None:
    """Return why a parameter's values are no numbers of epochs, None if they are."""
    match parameter:
        case Int(low=low):
            found: tuple[Any, ...] = (low,)
        case Fixed(value=value):
            found = (value,)
        case Choice(values=values):
            found = tuple(values)
        case Float():
            return "expected whole numbers of epochs: write type: int"
        case _:
            return "expected a whole number of epochs from 1 on"
    wrong = [one for one in found if isinstance(one, bool) or not isinstance(one, int) or one < 1]
    return f"expected a whole number of epochs from 1 on, found {wrong[0]!r}" if wrong else None


def without_partial_fit(name: str) -> str:
    """Return what is said of a class that cannot be trained in epochs."""
    return (
        f"{name} has no partial_fit, so it cannot be trained in epochs (SGDClassifier, MLPClassifier, Perceptron, "
        "GaussianNB and their like can); take a parameter that counts iterations, or rows"
    )


def check_epochs(
    root: Place, targets: Mapping[str, tuple[str, Parameter]], classes: Mapping[str, tuple[str, Place]]
) -> list[Finding]:
    """Return what is wrong with training in epochs.

    `targets` are the space's parameters by the path they set, each with the key at which that is told; `classes` by
    their path the name and place of those that can be trained in epochs.
    """
    lasts, out = set(last_steps(root)), []
    for path, (name, place) in classes.items():
        assert isinstance(place.node, ClassNode)
        own: Node | NamedEstimators | Any = place.node.params.get(EPOCHS)
        asked = targets.get(f"{path}.{EPOCHS}" if path else EPOCHS)
        if asked is None and own is None:
            continue
        key = asked[0] if asked is not None else f"{place.key}.params.{EPOCHS}"
        wrong = wrong_number(asked[1] if asked is not None else Fixed(name=EPOCHS, value=own))
        if wrong is not None:
            out.append(Finding(key=key, message=wrong))
        if path not in lasts:
            out.append(Finding(key=key, message=f"only a model's last step is trained in epochs, {name} is not one"))
        idle = [one for one in WITHOUT_EFFECT if not (name.startswith("MLP") and one in OF_NETWORKS)]
        for one in idle:
            searched = targets.get(f"{path}.{one}" if path else one)
            if searched is not None:
                out.append(Finding(key=searched[0], message=_idle(name, one)))
            elif place.node.params.get(one) not in (None, False):
                out.append(Finding(key=f"{place.key}.params.{one}", message=_idle(name, one)))
    return out


def _idle(name: str, parameter: str) -> str:
    return f"{name} is trained in epochs, by partial_fit, which knows no {parameter}: take it out"
