"""The config that `hptune init` writes: commented YAML that runs as it is, from what was seen in the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hptune.commands._look import Look
from hptune.commands.spaces import comment, entry_lines
from hptune.config.yaml_dump import line
from hptune.report import wording
from hptune.spaces import SPACES, DefaultSpace, Task, under

USUAL: dict[Task, tuple[str, str]] = {
    "classification": ("LogisticRegression", "HistGradientBoostingClassifier"),
    "regression": ("Ridge", "HistGradientBoostingRegressor"),
}
"""A linear model and one of trees: between them they are hard to beat on tables, and what they cost is known."""

_SHORT = {name: short for names in USUAL.values() for name, short in zip(names, ("linear", "boosting"), strict=True)}

MANY_ROWS = 1000
"""From here on a fifth of the rows can be spared for a last, honest score."""
FEW_ROWS = 300
"""Below this the folds are so small that they are drawn three times."""
_CATEGORIES = 20
_CLASS = "sklearn.preprocessing.OneHotEncoder"
_WORDS = "sklearn.feature_extraction.text.TfidfVectorizer"


@dataclass(frozen=True)
class Draft:
    """The text of a config, and in words what was decided in it."""

    text: str
    metric: str
    models: tuple[str, ...]


def draft(look: Look, models: tuple[DefaultSpace, ...], *, name: str, command: str) -> Draft:
    """Return the config for the data; several models become a choice. `command` is what runs it."""
    folds = _folds(look)
    metric, also, why = _metric(look)
    lines = [
        *comment(_what(look)),
        "#",
        f"#     {command}",
        "version: 1",
        f"name: {line(name)}",
        "seed: 0 # all randomness derives from it",
        "",
        *_data(look, folds),
        "",
        *_model(look, models),
        "",
        *_space(look, models, folds),
        "",
        "# The estimators' own defaults are always tried first: they are the baseline.",
        "start_with: [defaults]",
        "",
        "evaluate:",
        *comment(why, "  "),
        f"  metric: {metric}",
        f"  also: {line(also)}",
        f"  cv: {_cv(look, folds)}",
        "",
        "oracle: {type: bayesian} # `hptune oracles` lists the others",
        "# The first limit reached stops the study; `time: 30m` is another one.",
        f"budget: {{trials: {_trials(models)}, patience: 20}}",
    ]
    return Draft("\n".join([*lines, ""]), metric, tuple(one.name for one in models))


def usual(look: Look) -> tuple[DefaultSpace, ...]:
    """Return the models to choose between where none was asked for; of words, which are sparse, the linear one."""
    names = USUAL[look.task][:1] if look.texts else USUAL[look.task]
    return tuple(SPACES[name] for name in names)


def _what(look: Look) -> str:
    kinds = [f"{kind}: {len(names)}" for kind, names in look.columns.items() if names]
    what = f"{look.task}, {look.classes} classes" if look.classes else look.task
    gaps = f"; missing values in {len(look.missing)} of them" if look.missing else ""
    features = wording.count(look.features, "feature")
    return f"{look.data['train']}: {look.rows:,} rows, {features} ({', '.join(kinds)}{gaps}); {what}."


# -- data and evaluation --------------------------------------------------------------------------------------------


def _folds(look: Look) -> int:
    """Return the number of folds: 5, fewer where a class has fewer rows, or a fold would have less than two."""
    return max(2, min(5, look.smallest if look.classes else look.rows // 2))


def _holds_out(look: Look) -> bool:
    return look.rows >= MANY_ROWS and (not look.classes or look.smallest >= 10)


def _data(look: Look, folds: int) -> list[str]:
    lines = [text for note in look.notes for text in comment(note)]
    lines += ["data:", *(f"  {key}: {line(value)}" for key, value in look.data.items() if key != "drop")]
    if look.drop:
        lines += ["  drop: # no features:"]
        for name, why in look.drop.items():
            lines += [*comment(why, "    "), f"    - {line(name)}"]
    if _holds_out(look):
        lines.append("  holdout: {fraction: 0.2} # never seen by the search, scored once at its end")
    elif look.classes and look.smallest < 5:
        rarest = wording.count(look.smallest, "row")
        lines += comment(f"The rarest class has {rarest}: that is little for {folds} folds.", "  ")
    return lines


def _metric(look: Look) -> tuple[str, list[str], str]:
    """Return the metric, further ones, and why; all of them scikit-learn's scorers."""
    if not look.classes:
        why = "Errors carry a minus in scikit-learn (higher is better); tables leave it out."
        return "neg_root_mean_squared_error", ["r2", "neg_mean_absolute_error"], why
    if look.classes == 2:
        why = "How well the two classes are told apart, whatever the threshold and however rare one of them is."
        return "roc_auc", ["balanced_accuracy", "accuracy"], why
    if look.smallest * look.classes < look.rows / 2:
        why = "The mean over the classes of the share found: the rare ones count as much as the common ones."
        return "balanced_accuracy", ["accuracy", "f1_macro"], why
    return "accuracy", ["balanced_accuracy", "f1_macro"], "The share of rows whose class is found."


def _cv(look: Look, folds: int) -> str:
    if look.rows >= FEW_ROWS:
        return f"{folds} # folds" + (", each with the same share of every class" if look.classes else "")
    kind = "repeated_stratified" if look.classes else "repeated_kfold"
    return f"{{type: {kind}, folds: {folds}, repeats: 3}} # few rows: one division would say little"


def _trials(models: tuple[DefaultSpace, ...]) -> int:
    return 60 if len(models) > 1 or len(models[0].space) > 4 else 40


# -- model and space ------------------------------------------------------------------------------------------------


def _model(look: Look, models: tuple[DefaultSpace, ...]) -> list[str]:
    steps = _steps(look, models)
    last = _node(models[0])
    if not steps and len(models) == 1:
        return ["model:", *(f"  {key}: {line(value)}" for key, value in last.items())]
    lines = ["# Steps, one after the other. What is searched of them stands under space."]
    lines += ["model:", "  pipeline:", *steps, "    - model:"]
    if len(models) == 1:
        return lines + [f"        {key}: {line(value)}" for key, value in last.items()]
    lines += ["        choose: # which of them is searched as well"]
    return lines + [f"          {_called(one)}: {line(_node(one))}" for one in models]


def _called(one: DefaultSpace) -> str:
    """Return what an alternative is called, and with it the paths of its parameters."""
    return _SHORT.get(one.name, one.name)


def _node(one: DefaultSpace) -> dict[str, Any]:
    return {"class": one.class_path, **({"params": dict(one.params)} if one.params else {})}


def _steps(look: Look, models: tuple[DefaultSpace, ...]) -> list[str]:
    """Return the lines of the steps before the model: numbers without gaps and scaled where it matters, text encoded."""
    if look.texts:
        return _texts(look)
    numbers = _numbers(look, models)
    if not any(look.columns[kind] for kind in ("text", "category", "boolean")):
        return [f"    - {line(step)}" for step in numbers]
    lines = ["    - prepare:", "        columns: # each kind of column its own way"]
    if look.columns["number"]:
        lines += _part("numbers", "number", numbers or None)
    if look.columns["text"] or look.columns["category"]:
        kinds = [kind for kind in ("text", "category") if look.columns[kind]]
        select = line(kinds[0]) if len(kinds) == 1 else line({"dtype": kinds})
        # No imputer: the encoder makes a category of what is missing, where NA says that there is none (no garage).
        params = {"handle_unknown": "infrequent_if_exist", "max_categories": _CATEGORIES, "sparse_output": False}
        lines += _part("words", select, [{"encode": {"class": _CLASS, "params": params}}])
    if look.columns["boolean"]:
        lines += _part("flags", "boolean", None)
    return lines


def _texts(look: Look) -> list[str]:
    """Return the lines of a step that makes features of words, each column by itself."""
    lines = ["    - prepare:", "        columns: # a vectorizer takes one column"]
    for number, name in enumerate(look.texts, 1):
        called = "words" if len(look.texts) == 1 else f"words{number}"
        lines += [f"          - {called}:", f"              select: {line([name])}", f"              with: {_WORDS}"]
    return lines


def _part(name: str, select: str, steps: list[dict[str, Any]] | None) -> list[str]:
    lines = [f"          - {name}:", f"              select: {select}"]
    if steps is None:
        return [*lines, "              with: passthrough"]
    return [
        *lines,
        "              with:",
        "                pipeline:",
        *(f"                  - {line(s)}" for s in steps),
    ]


def _numbers(look: Look, models: tuple[DefaultSpace, ...]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if look.gaps("number") and not all(one.missing for one in models):
        steps.append({"impute": {"class": "sklearn.impute.SimpleImputer", "params": {"strategy": "median"}}})
    if look.columns["number"] and any(one.scale for one in models):
        steps.append({"scale": "sklearn.preprocessing.StandardScaler"})
    return steps


def _space(look: Look, models: tuple[DefaultSpace, ...], folds: int) -> list[str]:
    lines = ["space:"]
    alone = len(models) == 1
    bare = alone and not _steps(look, models)
    for one in models:
        path = "" if bare else "model" if alone else f"model.{_called(one)}"
        lines += comment(f"{one.name}. Source: {one.source}.", "  ")
        lines += comment(f"Mind: {one.note}.", "  ") if one.note else []
        lines += entry_lines(under(_fitted(one.space, look, folds), path))
    return lines


def _fitted(space: Mapping[str, Any], look: Look, folds: int) -> dict[str, Any]:
    """Return a space without what the data are too small for: there must be as many rows as neighbours."""
    out = dict(space)
    if "n_neighbors" in out:
        rows = int(look.rows * (0.8 if _holds_out(look) else 1) * (folds - 1) / folds) - 1
        most = max(1, min(out["n_neighbors"]["max"], rows))
        out["n_neighbors"] = {**out["n_neighbors"], "max": most, "default": min(5, most)}
    return out
