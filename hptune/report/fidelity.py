"""Trials measured at a lower fidelity, in words and numbers: how much of the resource, and what was spent in all."""

from __future__ import annotations

import math
from typing import Any

from hptune.history import History
from hptune.report import wording
from hptune.resource import Resource
from hptune.trial import Trial, Values


def resource_of(history: History) -> Resource | None:
    """Return the resource that the study's oracle spends, None without one."""
    return Resource.from_json(history.started.about.get("resource"))


def amount(history: History, trial: Trial) -> str:
    """Return how much of the resource a trial got: "30" iterations, or a share ("0.111", "1")."""
    resource = resource_of(history)
    if resource is None or resource.max <= 1:
        return wording.number(trial.fidelity or 1.0, 3)
    return str(resource.amount(trial.fidelity))


def heading(history: History) -> str:
    """Return the head of the column of amounts: the resource's name, or "fidelity" where it has none."""
    resource = resource_of(history)
    return "fidelity" if resource is None else resource.name.rpartition(".")[2]


def sentence(history: History, trial: Trial) -> str:
    """Return what a trial got of the resource and which trial it goes on from, "" for one without either."""
    if trial.fidelity is None and trial.parent is None:
        return ""
    resource = resource_of(history)
    told = amount(history, trial)
    whole = "the whole" if trial.fidelity is None else f"a share of {wording.number(trial.fidelity, 3)}"
    parts = [whole if resource is None or resource.max <= 1 else f"{told} of {resource.amount(None)}"]
    if trial.parent is not None:
        parts.append(f"promotes trial {trial.parent}")
    went_on = [one.continued for one in trial.measurements if one.continued is not None]
    if went_on and resource is not None:
        parts.append(f"{len(went_on)} of {len(trial.measurements)} fits went on from its")
    return ", ".join(parts)


def values_of(history: History, trial: Trial) -> Values:
    """Return a trial's configuration as it was fitted: the resource's parameter at the trial's amount."""
    resource = resource_of(history)
    return trial.values if resource is None else resource.applied(trial.values, trial.fidelity)


def spent(history: History) -> dict[str, Any] | None:
    """Return what the study spent of its resource, in full trainings; None without a resource.

    `spent` charges every trial in full, from nothing; `continued` is what of that was not trained again because a
    fit went on from an earlier one's. Folds that were not measured count by their share.
    """
    resource = resource_of(history)
    if resource is None:
        return None
    total, saved = [], []
    for trial in history.trials:
        folds = trial.folds or max(len(trial.measurements), 1)
        total.append((trial.fidelity or 1.0) * len(trial.measurements) / folds)
        saved += [one.continued / folds for one in trial.measurements if one.continued is not None]
    return {
        "name": resource.name,
        "max": resource.max,
        "lowest": resource.lowest,
        "spent": round(math.fsum(total), 6),
        "continued": round(math.fsum(saved), 6),
    }


def spent_sentence(history: History) -> str:
    """Return what the study spent as one line, "" without a resource."""
    found = spent(history)
    if found is None:
        return ""
    configurations = history.view().configurations
    full = sum(trial.fidelity is None for trial in history.trials)
    unit = f"{found['name']} up to {found['max']:g}" if found["max"] > 1 else f"shares of the {found['name']}"
    less = f", {found['continued']:.3g} of it gone on from earlier fits" if found["continued"] else ""
    return (
        f"{unit}: {wording.count(configurations, 'configuration')}, {full} measured in full; as much as "
        f"{found['spent']:.3g} full training{'' if found['spent'] == 1 else 's'}{less}"
    )
