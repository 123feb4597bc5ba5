"""The part of an exported script that reads the data as hptune did: the same columns, target and rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.worker.source import quoted

if TYPE_CHECKING:
    from hptune.dataset import DataSpec
    from hptune.worker.problem import Problem
    from hptune.worker.source import Source


@dataclass(frozen=True)
class Loading:
    """The lines of `load()`; `complete` says whether there is one, else the lines are comments."""

    lines: list[str]
    complete: bool


def loading(problem: Problem, source: Source, *, weights: bool = False, everything: bool = False) -> Loading:
    """Return the function that reads the data of `problem`, for data that can be read without hptune.

    With `weights` it returns those too, with `everything` the holdout's rows behind the others.
    """
    spec = problem.data
    body = _table(problem, spec, source, weights) if spec is not None else None
    if body is None:
        kind = spec.key if spec is not None else "unknown"
        held = problem.dataset.holdout
        total = len(problem.dataset.train) + (len(held) if everything and held is not None else 0)
        rows = f"{total} rows of {len(problem.dataset.train.feature_names)} features"
        return Loading(
            [f"# The data ({kind}, {rows}) was made or read by other code: call fit(X, y) with it.", "", ""], False
        )
    what = "X, y and the weights" if weights else "X and y"
    given = ["    " + line for line in [*body, *_holdout(problem, source, weights, everything)]]
    answer = "    return X, y, weights" if weights else "    return X, y"
    head = "def load(path=DATA):" if _is_file(spec) else "def load():"
    constant = [f"DATA = {quoted(str(_path(problem, spec)))}", "", ""] if _is_file(spec) else []
    note = ""
    if problem.dataset.holdout is not None:
        note = ", the rows of the holdout last" if everything else ", the rows of the holdout left out"
    return Loading(
        [*constant, head, f'    """Return {what}, as hptune had them{note}."""', *given, answer, "", ""], True
    )


def _is_file(spec: Any) -> bool:
    return spec.key in ("csv", "parquet")


def _path(problem: Problem, spec: Any) -> Path:
    from hptune.dataset import resolved

    return resolved(problem.setup.folder, spec.train).resolve()


def _table(problem: Problem, spec: DataSpec, source: Source, weights: bool) -> list[str] | None:
    """Return the lines that make X and y of all rows, None for data that only hptune or the user's code can make."""
    anything: Any = spec
    if spec.key == "sklearn":
        loader = source.name("sklearn.datasets", anything.train.partition(":")[2])
        return [f"X, y = {loader}(return_X_y=True, as_frame=True)", "y = y.to_numpy()"]
    if not _is_file(spec):
        return None
    if spec.key == "parquet":
        read = [f"table = {source.name('pandas', 'read_parquet')}(path)"]
    else:
        read = _read_csv(problem, anything, source)
    groups, weighing = getattr(anything, "groups", None), getattr(anything, "weights", None)
    aside = tuple(problem.dataset.train.aside)
    out = list(dict.fromkeys([anything.target, *filter(None, (groups, weighing)), *anything.drop, *aside]))
    of_kind = {"O": "dtype=object", "f": "dtype=float"} if spec.key == "parquet" else {"O": "dtype=object"}
    kind = of_kind.get(problem.dataset.train.y.dtype.kind, "")
    made = _ordinary(problem, anything, out) if spec.key == "parquet" else []
    return [
        *read,
        f"y = table[{quoted(anything.target)}].to_numpy({kind})",
        *([f"groups = table[{quoted(groups)}].to_numpy()"] if groups and problem.dataset.holdout is not None else []),
        *([f"weights = table[{quoted(str(weighing))}].to_numpy()"] if weights else []),
        f"X = table.drop(columns={source.expression(out, indent=4, before=27)})",
        *made,
    ]


def _ordinary(problem: Problem, spec: Any, dropped: list[str]) -> list[str]:
    """Return the lines that change columns of X as `hptune.data.dtypes` does."""
    from hptune.data.dtypes import changes

    X = spec.table(problem.setup.folder).drop(columns=dropped)
    lines: list[str] = []
    for number, change in changes(X).items():
        one = f"X[{quoted(str(X.columns[number]))}]"
        if change == "float":
            lines.append(f"{one} = {one}.astype(float)  # decimals")
        else:
            lines.append(f'{one} = {one}.astype(object).where({one}.notna(), float("nan"))  # not pd.NA')
    return lines


def _read_csv(problem: Problem, spec: Any, source: Source) -> list[str]:
    from hptune.data.dialect import dialect_of

    path = _path(problem, spec)
    dialect = dialect_of(path, encoding=spec.encoding, separator=spec.separator)
    options: dict[str, Any] = {"sep": dialect.separator}
    if dialect.encoding != "utf-8":
        options["encoding"] = dialect.encoding
    options |= {"skipinitialspace": True, "index_col": False, "low_memory": False}
    options |= {name: found for name in ("decimal", "thousands") if (found := getattr(spec, name, None)) is not None}
    if getattr(spec, "missing", None):
        options["na_values"] = list(spec.missing)
    given = "".join(f", {name}={source.expression(value)}" for name, value in options.items())
    lines = [f"table = {source.name('pandas', 'read_csv')}(path{given})"]
    return [*lines, "table.columns = [str(name).strip() for name in table.columns]"]


def _holdout(problem: Problem, source: Source, weights: bool, everything: bool) -> list[str]:
    """Return the lines that leave out the holdout, as `DataSpec.load` parts it; with `everything`, that put it last."""
    from hptune.cv import CvSpec
    from hptune.randomness import seed_for

    spec, dataset = problem.data, problem.dataset
    if spec is None or spec.holdout is None or dataset.holdout is None:
        return []
    holdout, wanted = spec.holdout, problem.evaluate.cv
    in_order = isinstance(wanted, CvSpec) and wanted.in_order
    weighing = ["weights = weights[kept]"] if weights else []
    if holdout.shuffle is False or (holdout.shuffle == "auto" and in_order):
        if everything:
            return []  # it is last already
        rows = len(dataset.train)
        return [f"kept = slice({rows})  # the last rows are the holdout", "X, y = X.iloc[kept], y[kept]", *weighing]
    stratify = dataset.task == "classification" if holdout.stratify == "auto" else holdout.stratify
    kind = "GroupShuffleSplit" if dataset.groups else "StratifiedShuffleSplit" if stratify else "ShuffleSplit"
    state = seed_for(problem.setup.seed, "holdout")
    splitter = (
        f"{source.name('sklearn.model_selection', kind)}(1, test_size={holdout.fraction}, random_state={state})"
    )
    by = ", groups" if dataset.groups else ""
    return [
        f"splitter = {splitter}",
        f"kept, {'held' if everything else '_'} = next(splitter.split(X, y{by}))",
        "kept = [*sorted(kept), *sorted(held)]  # as in the last fit" if everything else "kept = sorted(kept)",
        "X, y = X.iloc[kept], y[kept]",
        *weighing,
    ]
