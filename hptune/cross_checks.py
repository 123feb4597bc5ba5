"""What an inspection shows to be wrong between the config's sections, before the first fit.

Each section is checked by itself when the config is read. What is here needs two of them, or what only a worker knows:
the metric, the folds, the defaults of the estimators.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hptune.errors import ConfigError, Problem, UsageError
from hptune.objective import Objective
from hptune.reachable import never_active, never_allowed
from hptune.report import wording
from hptune.space import SearchSpace

if TYPE_CHECKING:
    from hptune.config.load import Loaded
    from hptune.job import Inspection


def cross_checks(loaded: Loaded, inspection: Inspection, *, continued: bool = False) -> list[Problem]:
    """Return what is wrong, errors and warnings, each with its line.

    Of a study that is `continued` the space is what it is: what is wrong with it is a warning.
    """
    space = SearchSpace.from_json(inspection.space)
    about_space = [*_defaults(loaded, space), *_reach(loaded, space)]
    if continued:
        about_space = [replace(one, severity="warning") for one in about_space]
    if loaded.config.asked:
        return [*about_space, *_nothing_searched(loaded, space)]
    return [
        *about_space,
        *_nothing_searched(loaded, space),
        *_scores(loaded, inspection),
        *_finals(loaded, inspection),
        *_gate(loaded, inspection),
    ]


def checked(loaded: Loaded, inspection: Inspection) -> list[Problem]:
    """Return the warnings, those of reading the config first; raises `ConfigError` if there is an error among them."""
    problems = [*loaded.warnings, *cross_checks(loaded, inspection)]
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems)
    return problems


def _defaults(loaded: Loaded, space: SearchSpace) -> Iterator[Problem]:
    """The defaults are trial 0, what gains are measured against, and may win: a constraint has to allow them."""
    values = space.defaults()
    for constraint in space.constraints:
        if not constraint.allows(values):
            named = ", ".join(
                f"{name}={wording.value(values[name])}" for name in dict.fromkeys(constraint.names) if name in values
            )
            message = (
                f"not met by the defaults ({named}), which every study begins with: {constraint}. "
                "Write a `default:` that it allows (of a choose, the first alternative is the default)"
            )
            yield loaded.problem("constraints", message)


def _reach(loaded: Loaded, space: SearchSpace) -> Iterator[Problem]:
    """Parameters and values that no trial can ever have."""
    for name, conditions in never_active(space):
        yield loaded.problem(f"space.{name}", f"is never active: nothing meets {conditions}")
    drawn = never_allowed(space, np.random.default_rng(0)) if space.constraints else ()
    for name, value in drawn:
        message = (
            f"no configuration with {name} = {wording.value(value)} was allowed, of some hundred drawn: leave it out"
        )
        yield loaded.problem("constraints", message, "warning")


def _nothing_searched(loaded: Loaded, space: SearchSpace) -> Iterator[Problem]:
    """A study of several trials with a single configuration is hardly meant; best.yaml has a budget of one."""
    if loaded.config.budget.trials != 1 and space.size(limit=2) == 1:
        what = "every parameter has one value" if len(space) else "there is no `space:`"
        message = f"nothing is searched, for {what}: the only trial will be the defaults"
        yield loaded.problem("space" if len(space) else "model", message, "warning")


def _scores(loaded: Loaded, inspection: Inspection) -> Iterator[Problem]:
    """Scores of scikit-learn's neg_ metrics are never above zero, though tables show them without the sign; those of
    most others never above one."""
    config, metric = loaded.config, inspection.metric
    if not config.model.makes_estimator:
        return
    negated = Objective(metric, inspection.direction).shown_negated
    highest = 0 if negated else 1 if _ONE.fullmatch(metric) else math.inf
    wanted = {"budget.target": config.budget.target, "gate.baseline": config.gate and config.gate.baseline}
    for key, score in wanted.items():
        if isinstance(score, float) and score > highest:
            mend = f". Write {-score:g}" if negated else ""
            yield loaded.problem(key, f"expected at most {highest}, as scores of {metric} are; found {score:g}{mend}")


_ONE = re.compile(
    r"r2|explained_variance|d2_\w+|(balanced_|top_k_)?accuracy|(average_)?precision(_\w+)?|(recall|f1|jaccard|roc_auc)(_\w+)?|"
    r"matthews_corrcoef|(adjusted_)?rand_score|(adjusted|normalized)_mutual_info_score|(completeness|homogeneity)_score|"
    r"v_measure_score|fowlkes_mallows_score"
)
"""The scikit-learn scorers whose best score is 1."""


def _finals(loaded: Loaded, inspection: Inspection) -> Iterator[Problem]:
    """Finals that were asked for need fresh splits."""
    if loaded.config.evaluate.finals.enabled_ is not True or inspection.final_folds:
        return
    why = (
        "the rows can be divided in one way only (a time series, a column of folds, as many groups or rows as folds)"
        if loaded.config.model.makes_estimator
        else f"a {loaded.config.model.key} model measures itself"
    )
    yield loaded.problem(
        "evaluate.finals", f"no finals will be held: there are no fresh splits, for {why}", "warning"
    )


def _gate(loaded: Loaded, inspection: Inspection) -> Iterator[Problem]:
    gate = loaded.config.gate
    if gate is None:
        return
    if gate.on == "holdout":
        if gate.baseline != "defaults":
            yield loaded.problem("gate.on", "holdout compares with the defaults; take cv for another baseline")
    elif isinstance(gate.baseline, str) and gate.baseline != "defaults":
        from hptune.gate import floor  # the statistics below it are not needed for most configs

        path = loaded.folder / gate.baseline
        try:
            if not path.is_file():
                hint = "commit the result.json of a run there (the first run: `-o gate=null`)"
                if path.name.startswith("default"):
                    hint = "did you mean defaults?"
                raise UsageError(f"{path} does not exist; {hint}")
            floor(path, inspection.metric)
        except UsageError as error:
            yield loaded.problem("gate.baseline", str(error).removeprefix("gate.baseline: "))
    if gate.on == "cv" and inspection.folds == 1 and not inspection.final_folds and gate.undecided == "fail":
        message = (
            f"a {loaded.config.model.key} model gives one score a trial, and without folds nothing tells how sure a gain "
            "is: the gate can only be undecided, exit code 3 (undecided: pass lets it through)"
        )
        yield loaded.problem("gate", message, "warning")
