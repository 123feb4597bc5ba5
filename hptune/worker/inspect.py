"""The `inspect` job: everything that only a worker can know of a problem, as plain data, all faults at once."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import metadata
from typing import Any

from pydantic import ValidationError

from hptune.errors import ConfigError
from hptune.evaluate import MEASURED
from hptune.job import Finding, Inspection
from hptune.model import EstimatorModel, MeasuringModel
from hptune.objective import Direction
from hptune.space import SearchSpace
from hptune.worker.checks import check_estimators, check_folds, check_target
from hptune.worker.data_checks import check_data, check_repeatable
from hptune.worker.fidelity import check_resource
from hptune.worker.imports import TRUSTED
from hptune.worker.model_checks import check_model
from hptune.worker.order import check_order
from hptune.worker.outer_folds import check_outer_folds
from hptune.worker.probe import probe
from hptune.worker.probe_fits import ProbeFits
from hptune.worker.problem import Problem
from hptune.worker.scoring import unknown_names

_PACKAGES = (
    "hptune",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "xgboost",
    "lightgbm",
    "catboost",
    "imbalanced-learn",
)


class _Findings(list[Finding]):
    """Collects what is wrong, going on after each fault."""

    def attempt(self, what: Callable[[], Any], key: str) -> Any:
        """Return what `what()` returns; None if it raises, which becomes findings (at `key` if it names none)."""
        try:
            return what()
        except ConfigError as error:
            self += [Finding(key=one.key, message=one.message) for one in error.problems]
        except ValidationError as error:
            for one in error.errors():
                parts = [str(part) for part in one["loc"] if not str(part).startswith("<")]
                self.append(Finding(key=".".join([key, *parts]), message=one["msg"].removeprefix("Value error, ")))
        except ValueError as error:
            self.append(Finding(key=key, message=str(error)))
        return None

    def fatal(self) -> bool:
        """Return whether one of them is an error."""
        return any(one.severity == "error" for one in self)


def inspect(problem: Problem, *, probe_fits: bool = True, probed: Mapping[str, str] | None = None) -> Inspection:
    """Return what there is to know. Faults of the config are findings; the fields beyond them keep their defaults.

    With `probe_fits`, and if nothing else is wrong, every branch of the model is fitted once on a few rows, but not
    anew with the package versions that it was done with before (`probed`).
    """
    findings = _Findings()
    found = Inspection(space=problem.setup.space, versions=versions())
    model = findings.attempt(lambda: problem.model, "model")
    evaluate = findings.attempt(lambda: problem.evaluate, "evaluate")
    declared = findings.attempt(lambda: problem.declared, "space")
    if model is None or evaluate is None or declared is None:
        return replace(found, findings=tuple(findings))
    examined = findings.attempt(lambda: model.examine(declared, problem.load, problem.later), "model")
    if examined is not None:
        space, about_model = examined
        findings += about_model
        found = replace(found, space=space.to_json())
    for key, name in model.imports():
        if not any(one.key == key for one in findings):
            wanted = "class" if key.endswith(".class") else "function"
            findings.attempt(partial(problem.load, name, key=key, wanted=wanted), key)
    if isinstance(model, EstimatorModel):
        found = _inspect_estimators(problem, found, findings)
        if probe_fits and probed != found.versions and not findings.fatal():
            fits = ProbeFits(problem)
            findings += probe(fits, SearchSpace.from_json(found.space))
            found = replace(found, unsearched=tuple(fits.unsearched))
    else:
        found = _inspect_measuring(problem, found, findings)
    return replace(found, findings=tuple(dict.fromkeys(findings)))


def _inspect_estimators(problem: Problem, found: Inspection, findings: _Findings) -> Inspection:
    """Look at data, folds and metrics; what needs an estimator is left out where the model is at fault."""
    if findings.fatal():
        if problem.setup.data is not None and problem.model.makes_estimator:
            _only_the_data(problem, findings)
            _only_the_metrics(problem, findings)
        return found
    dataset = findings.attempt(lambda: problem.dataset, "data")
    if dataset is None:
        _only_the_metrics(problem, findings)
        return found
    found = _with_data(problem, found)
    findings += check_target(problem)
    if findings.fatal():
        _only_the_metrics(problem, findings)
        return found
    splits = findings.attempt(lambda: problem.splits, "evaluate.cv")
    if splits is not None:
        shares = [len(tested) / max(len(kept), 1) for kept, tested in splits]
        found = replace(
            found,
            folds=len(splits),
            final_folds=problem.base_folds if problem.refreshable else 0,
            test_share=sum(shares) / len(shares),
            overlapping=problem.cv.overlapping,
        )
        findings += check_folds(problem)
        findings += check_order(problem)
        findings += check_resource(problem)
        findings += findings.attempt(lambda: check_data(problem), "data") or []
        findings.attempt(lambda: check_repeatable(problem), "data")
    findings += findings.attempt(lambda: check_model(problem), "model") or []
    scoring = findings.attempt(lambda: problem.scoring, "evaluate")
    if scoring is not None:
        found = replace(found, metric=scoring.metric, direction=scoring.direction)
        if not findings.fatal():
            findings += [Finding(key=key, message=text) for key, text in scoring.unfit(dataset.train.y, splits or ())]
            findings += check_estimators(problem)
    if problem.evaluate.nested is not None and not findings.fatal():
        findings += check_outer_folds(problem, problem.evaluate.nested)
    return found


def _only_the_data(problem: Problem, findings: _Findings) -> None:
    """Say what is wrong with the data although the model cannot be built, to save the user a round."""
    data = findings.attempt(lambda: problem.data, "data")
    if data is not None:
        findings.attempt(lambda: data.read(problem.setup.folder, problem.aside, problem.load), "data")


def _only_the_metrics(problem: Problem, findings: _Findings) -> None:
    """Say which metrics have no such name although the data or the model cannot be had, to save the user a round."""
    findings += [Finding(key=key, message=text) for key, text in unknown_names(problem.evaluate)]


def _inspect_measuring(problem: Problem, found: Inspection, findings: _Findings) -> Inspection:
    """Look at a model that measures itself: one measurement a trial, data only if there is some."""
    evaluate = problem.evaluate
    if evaluate.direction is None:
        message = f"expected maximize or minimize: hptune cannot know it of what a {problem.model.key} returns"
        findings.append(Finding(key="evaluate.direction", message=message))
    direction: Direction = evaluate.direction or "maximize"
    found = replace(found, metric=evaluate.metric or MEASURED, direction=direction)
    folds = problem.model.folds(evaluate) if isinstance(problem.model, MeasuringModel) else 1
    found = replace(found, folds=folds)
    if isinstance(problem.model, MeasuringModel) and not findings.fatal():
        findings += problem.model.callable_with(problem.load, data=problem.setup.data is not None)
    if evaluate.nested is not None:
        message = f"a {problem.model.key} model measures itself: there are no rows to search without; take nested out"
        findings.append(Finding(key="evaluate.nested", message=message))
    if problem.setup.data is not None and findings.attempt(lambda: problem.dataset, "data") is not None:
        found = _with_data(problem, found)
        findings += problem.dataset.notes
        findings.attempt(lambda: check_repeatable(problem), "data")
    return found


def _with_data(problem: Problem, found: Inspection) -> Inspection:
    dataset = problem.dataset
    return replace(
        found,
        task=dataset.task,
        rows=len(dataset.train),
        features=len(dataset.train.feature_names),
        holdout_rows=0 if dataset.holdout is None else len(dataset.holdout),
        data_hash=dataset.hash,
    )


def versions() -> dict[str, str]:
    """Return the versions on which scores depend: Python, the platform, and the packages that are installed."""
    assert set(TRUSTED) - {"sklearn", "imblearn"} <= set(_PACKAGES)
    out = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for package in _PACKAGES:
        try:
            out[package] = _version(metadata.distribution(package))
        except metadata.PackageNotFoundError:
            continue
    return out


def _version(found: metadata.Distribution) -> str:
    """Return a distribution's version; `found.version` reads all of its description for that, ten times as long."""
    for line in (found.read_text("METADATA") or "").splitlines():
        if line.startswith("Version:"):
            return line.removeprefix("Version:").strip()
        if not line:
            break  # the headers are over
    return found.version
