"""`hptune export DIR`: the winner as Python code that needs scikit-learn and not hptune.

Not a reading verb: the estimator is built (not fitted), so that the code holds exactly what the refit used.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hptune.commands._failing import mutter
from hptune.commands._shared import file_of, read_study, write
from hptune.errors import NoSuccess
from hptune.report import phrases, wording
from hptune.report.inert import in_python, inert

if TYPE_CHECKING:
    from hptune.config.load import Loaded
    from hptune.dataset import Rows
    from hptune.history import History
    from hptune.trial import Trial
    from hptune.worker.problem import Problem


def export(folder: Path, *, out: Path | None = None, allow_import: Sequence[str] = ()) -> int:
    """Write the winner's script to stdout (`out` None or -) or whole to `out`; return the exit code.

    A model that is not made of estimators, or holds what cannot be written as code, is exported as its values, and
    that is said. Raises `UsageError` for an `out` that cannot be written, `NoSuccess` without a winner and `ConfigError`
    for code that may not be imported.
    """
    from hptune.commands._problem import config_of
    from hptune.config.load import load

    out = file_of(out)
    history = read_study(folder)
    best = history.best
    if best is None:
        raise NoSuccess(
            f"{folder}: no trial has completed yet, so there is no winner; `hptune show {folder}` says why"
        )
    loaded = load(config_of(folder)[0])
    text, note = script(loaded, history, best, allow_import)
    if note:
        mutter(f"note: {note}")
    if out is None:
        write(in_python(text))
    else:
        from hptune.report.files import write_whole

        write_whole(out, in_python(text))
        mutter(f"trial {best.number} written to {out}")
    return 0


def script(loaded: Loaded, history: History, best: Trial, allow_import: Sequence[str] = ()) -> tuple[str, str]:
    """Return the text of the script, and what is to be said about it ("" if it is plain scikit-learn)."""
    from hptune.models.node_model import NodeModel
    from hptune.worker.source import NotPlain

    model = loaded.config.model
    if not isinstance(model, NodeModel):
        reason = (
            "the study has no model, your own code was told what to try: its best values are exported"
            if loaded.config.asked
            else f"a {model.key} model is your own code: its best values are exported, not an estimator"
        )
        return values_script(loaded, history, best, reason), reason
    try:
        return _Script(loaded, history, best, allow_import).text(), ""
    except NotPlain as error:
        reason = f"the model cannot be written as plain code ({error}): its best values are exported"
        return values_script(loaded, history, best, reason), reason


def _heading(history: History, best: Trial) -> list[str]:
    objective = history.objective
    metric = f"{wording.metric(objective)} {phrases.score(objective, best)} ({wording.better(objective)})"
    heading = f"The winner of the hptune study {phrases.name(history)}: trial {best.number}, {metric}."
    return [f'"""{_in_docstring(heading)}']


# -- values ---------------------------------------------------------------------------------------------------------


def values_script(loaded: Loaded, history: History, best: Trial, reason: str) -> str:
    """Return a script that holds the values of a trial and prints them as JSON."""
    from hptune.worker.source import Source

    values = Source().expression(dict(best.values), before=len("VALUES = "))
    use = {
        "function": "from {module} import {name}\n#     {name}(VALUES)",
        "hypermodel": "# build(hp) of {module}:{name}, with hp = hptune.HyperParameters holding these values",
    }.get(loaded.config.model.key, "")
    named = [name for _, name in loaded.config.model.imports()]
    lines = [
        *_heading(history, best),
        "",
        *_wrapped(f"{reason[0].upper()}{reason[1:]}."),
        '"""',
        "",
        "import json",
        "",
        f"VALUES = {values}",
    ]
    if use and named:
        module, _, name = named[0].replace(":", ".").rpartition(".")
        lines += ["", "# To use them:", "#     " + use.format(module=module, name=name).removeprefix("# ")]
    lines += [
        line
        for program in loaded.config.model.programs()
        for line in ("", "# What was run:", f"#     {wording.one_line(program)}")
    ]
    return "\n".join([*lines, "", 'if __name__ == "__main__":', "    print(json.dumps(VALUES))", ""])


def _wrapped(text: str) -> list[str]:
    import textwrap

    return [inert(line) for line in textwrap.wrap(_in_docstring(text), 96)]


def _in_docstring(text: str) -> str:
    """Return a text on one line that can neither end a docstring nor be an escape in it."""
    return wording.one_line(text).replace("\\", "\\\\").replace('"', "'")


# -- estimators -----------------------------------------------------------------------------------------------------


class _Script:
    """A script that builds, and for data that others can read too, loads and fits."""

    def __init__(self, loaded: Loaded, history: History, best: Trial, allow_import: Sequence[str]) -> None:
        from hptune.compose import setup_of
        from hptune.job import Setup
        from hptune.worker.problem import Problem
        from hptune.worker.source import Source

        setup = setup_of(loaded, allow_import)
        self.history, self.best, self.loaded = history, best, loaded
        self.problem: Problem = Problem(Setup(**{**setup.__dict__, "space": history.started.space}))
        self.source = Source()
        self.seed = history.seed
        self.everything = loaded.config.output.refit == "all"

    @property
    def rows(self) -> Rows:
        """What the winner was fitted to at last."""
        train, holdout = self.problem.dataset.train, self.problem.dataset.holdout
        return train.joined(holdout) if self.everything and holdout is not None else train

    def text(self) -> str:
        """Return the whole script; raises `NotPlain`."""
        from hptune.commands._export_data import loading
        from hptune.commands._export_epochs import passes_of, plain

        estimator = self._built()
        in_epochs = passes_of(estimator) is not None
        build = self.source.expression(plain(estimator) if in_epochs else estimator, indent=4, before=len("return "))
        extra = self._fit_arguments(estimator)
        rows_weights = self.problem.dataset.train.weights
        weights = any(one is rows_weights for one in extra.values()) and rows_weights is not None
        load = loading(self.problem, self.source, weights=weights, everything=self.everything)
        seeds = self._global_seeds(estimator)
        fit = self._fit(seeds, extra, weights, estimator if in_epochs else None)
        own = self._own_folder()
        path = ["import sys", "", *self._without_path(own)] if own else self.source.imports()
        run = [
            "    X, y = load()" if not weights else "    X, y, weights = load()",
            f"    model = fit(X, y{', weights' if weights else ''})",
            "    print(model)",
            '    print(f"fitted to {len(y)} rows")',
        ]
        return "\n".join(
            [
                *_heading(self.history, self.best),
                "",
                *_wrapped(f"Written by hptune {_version()}; it needs {self._needs()}, and no hptune."),
                '"""',
                "",
                *path,
                "",
                "",
                "def build():",
                '    """Return the unfitted estimator, its random_state as hptune set it for the last fit."""',
                f"    return {build}",
                "",
                "",
                *load.lines,
                *fit,
                *(["", "", 'if __name__ == "__main__":', *run] if load.complete else []),
                "",
            ]
        )

    def _built(self) -> Any:
        from hptune.randomness import seed_for

        problem, values = self.problem, self.best.values
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            built = problem.estimators.build(
                values, space=problem.space_for(values), seed=seed_for(self.seed, "refit"), load=problem.load
            )
            return problem.estimators.prepared(built, values, self.rows.y)

    def _fit_arguments(self, estimator: Any) -> dict[str, Any]:
        """Return what `fit` is given beside X and y, as the refit gave it."""
        from hptune.models.fitting import arguments
        from hptune.models.node_model import NodeModel

        model = self.loaded.config.model
        assert isinstance(model, NodeModel)
        return arguments(estimator, model.routes, model.taken(self.best.values), self.problem.dataset.train.weights)

    def _fit(self, seeds: list[str], extra: Mapping[str, Any], weights: bool, in_epochs: Any) -> list[str]:
        """Return the function `fit`; `in_epochs` is the unfitted estimator if it is trained so, else None."""
        rows_weights = self.problem.dataset.train.weights
        by_row = frozenset(name for name, one in extra.items() if weights and one is rows_weights)
        given = {name: "weights" if name in by_row else self.source.expression(one) for name, one in extra.items()}
        arguments = "X, y, weights" if weights else "X, y"
        called = ", ".join(["X", "y", *(f"{name}={code}" for name, code in given.items())])
        body = [f"    return build().fit({called})"]
        if in_epochs is not None:
            from hptune.commands._export_epochs import training

            body = training(in_epochs, given, self.source, by_row=by_row, seeded=bool(seeds))
        return [
            f"def fit({arguments}):",
            '    """Return the estimator fitted to X (rows, features) and y (rows,)."""',
            *seeds,
            *body,
        ]

    def _global_seeds(self, estimator: Any) -> list[str]:
        """Return the lines that seed numpy's global generator, where a random_state was left at null on purpose."""
        from hptune.randomness import seed_for

        params: Mapping[str, Any] = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
        if not any(name.rpartition("__")[2] == "random_state" and one is None for name, one in params.items()):
            return []
        seed = self.source.name("numpy.random", "seed")
        return [f"    {seed}({seed_for(self.seed, 'refit')})  # for a random_state that the config left at null"]

    def _own_folder(self) -> str | None:
        """Return the config's folder if some of the imported modules lie in it."""
        from hptune.worker.source import files_of

        home = Path(self.problem.setup.folder).resolve()
        files = files_of(self.source.modules).values()
        return str(home) if any(Path(file).resolve().is_relative_to(home) for file in files) else None

    def _without_path(self, own: str | None) -> list[str]:
        return [f"sys.path.insert(0, {own!r})  # the modules of the config", "", *self.source.imports()]

    def _needs(self) -> str:
        made = self.history.started.versions
        tops = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}
        names = [tops.get(top, top) for top in sorted({module.split(".")[0] for module in self.source.modules})]
        return ", ".join(f"{name} (made with {made[name]})" for name in names if name in made) or "scikit-learn"


def _version() -> str:
    from hptune import __version__

    return __version__
