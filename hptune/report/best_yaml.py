"""best.yaml: the study's config with the space fixed at the winner's values: running it retrains the winner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hptune.history import History
from hptune.report import phrases, wording
from hptune.trial import Trial

_OF_THE_SEARCH: Final = (
    "space",
    "constraints",
    "start_with",
    "prior",
    "oracle",
    "budget",
    "gate",
    "output",
    "name",
    "version",
)
"""Keys that make no sense (or a different one) for a single configuration."""


def best_config(problem: Mapping[str, Any], trial: Trial, *, name: str, folder: str) -> dict[str, Any]:
    """Return `problem` (a resolved config) with one configuration and a budget of one trial.

    `folder` is where its own run goes. Limits of a trial are kept, limits of the search are not.
    """
    space = dict(problem.get("space") or {})
    values = {**trial.values, **dict.fromkeys(_named_but_inactive(problem.get("model"), space, trial))}
    budget = {"trials": 1}
    budget |= {
        key: v for key, v in dict(problem.get("budget") or {}).items() if key.startswith("trial_") and v is not None
    }
    output = {key: v for key, v in dict(problem.get("output") or {}).items() if key != "dir"}
    return {
        "version": problem.get("version", 1),
        "name": name,
        **{key: _without_nulls(key, part) for key, part in problem.items() if key not in _OF_THE_SEARCH},
        "space": {key: _fixed(one, space.get(key)) for key, one in values.items()},
        "oracle": {"type": "random"},
        "budget": budget,
        "output": {"dir": folder, **output},
    }


def _named_but_inactive(model: Any, space: Mapping[str, Any], trial: Trial) -> list[str]:
    """Return the parameters that a command names and the winner lacks: a placeholder must stand for one.

    At null they are left out of the command line as they were for being inactive.
    """
    if not isinstance(model, Mapping) or "command" not in model:
        return []
    from hptune.models.templates import parse

    metrics = model.get("metrics")
    file = metrics.get("file") if isinstance(metrics, Mapping) else None  # no regex: its braces are its own
    texts = _texts([model["command"], model.get("env"), file])
    named = {name for text in texts for name in parse(text).names}
    return [name for name in space if name in named and name not in trial.values]


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, (list, tuple, Mapping)):
        for one in part.values() if isinstance(part, Mapping) else part:
            yield from _texts(one)


def _without_nulls(key: str, part: Any) -> Any:
    """Return a section without the options left at null, for the reader; a model's null is a value."""
    if key == "model" or not isinstance(part, Mapping):
        return part
    return {name: found for name, found in part.items() if found is not None}


def _fixed(found: Any, declared: Any = None) -> Any:
    """Return a value as a config fixes it: a list or mapping must be wrapped, a bare one has a meaning of its own.

    `declared` is the entry of the search; a tied parameter goes on setting its paths.
    """
    sets = declared.get("sets") if isinstance(declared, Mapping) else None
    if sets:
        return {"type": "fixed", "value": found, "sets": list(sets)}
    return {"type": "fixed", "value": found} if isinstance(found, (list, tuple, Mapping)) else found


def heading(history: History, trial: Trial) -> str:
    """Return comment lines that say where the configuration comes from."""
    objective = history.objective
    assert trial.score is not None
    places = wording.decimals([trial.score])
    score = wording.fixed(wording.shown(objective, trial.score), places)
    gain = phrases.honest_gain(history)
    return (
        f"# The winner of the study {phrases.name(history)}: trial {trial.number}.\n"
        f"# {wording.metric(objective)} {score} ({wording.better(objective)}).\n"
        + (f"# Gain: {gain}.\n" if gain else "")
        + (
            "# Ask it to get this configuration again: hptune ask best.yaml\n"
            if history.asked
            else "# Run it to train this configuration again: hptune run best.yaml\n"
        )
    )
