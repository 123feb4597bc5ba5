"""Mistakes that newcomers make, each as files and a command: what hptune answers is `docs/mistakes.md`.

Write the page anew, and read its diff, with `python -m tests.mistakes`.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mistakes.md"

ROWS = [(index * 37 % 61, index * 17 % 53, "red" if index % 3 else "blue", index) for index in range(40)]
HOUSES = "size,age,colour,price\n" + "".join(f"{a},{b},{c},{3 * a - b + 0.5 * i}\n" for a, b, c, i in ROWS)
KINDS = "size,age,kind\n" + "".join(f"{a},{b},{'big' if a > 30 else 'small'}\n" for a, b, _c, _i in ROWS)

STUDY = """\
version: 1
name: houses
data: {train: houses.csv, target: price, drop: [colour]}
model:
  pipeline:
    - scale: sklearn.preprocessing.StandardScaler
    - regressor:
        choose:
          ridge: sklearn.linear_model.Ridge
          svr: sklearn.svm.SVR
space:
  regressor.ridge.alpha: {type: float, min: 1e-3, max: 1e3, scale: log}
  regressor.svr.C: {type: float, min: 0.1, max: 100, scale: log}
  regressor.svr.kernel: [rbf, linear]
evaluate: {metric: r2, cv: 4}
oracle: {type: random}
budget: {trials: 4}
executor: {type: serial}
"""

CLASSES = """\
version: 1
name: kinds
data: {train: kinds.csv, target: kind}
model: {class: sklearn.linear_model.LogisticRegression}
space:
  C: {type: float, min: 1e-3, max: 1e3, scale: log}
evaluate: {metric: accuracy, cv: 4}
oracle: {type: random}
budget: {trials: 4}
executor: {type: serial}
"""

HYPERMODEL = """\
version: 1
name: kinds
data: {train: kinds.csv, target: kind}
model: {hypermodel: "mine:Mine"}
evaluate: {metric: accuracy, cv: 4}
oracle: {type: random}
budget: {trials: 4}
executor: {type: serial}
"""

FUNCTION = """\
version: 1
name: bowl
model: {function: bowl:bowl}
space:
  x: {type: float, min: -1, max: 1}
evaluate: {metric: value, direction: minimize}
budget: {trials: 3}
executor: {type: serial}
"""
OUTSIDE = """\
version: 1
name: outside
space:
  x: {type: float, min: -1, max: 1}
evaluate: {metric: loss}
"""
ASKED = {"outside.yaml": OUTSIDE}
ASK = ("ask", "outside.yaml")
BOWL = "def bowl(values):\n    return values['x'] ** 2\n"

MINE = """\
from sklearn.linear_model import LogisticRegression


class Mine:
    def build(self, hp):
        return LogisticRegression(C=hp.Float("C", 1e-3, 1e3, sampling="log"))

    def fit(self, hp, model, X, y):
        order = y.argsort() if hp.Boolean("sort") else range(len(y))
        return model.fit(X.iloc[order], y[order])
"""


@dataclass(frozen=True)
class Mistake:
    """One mistake: `wrong` is the YAML (or the command) as the page shows it."""

    title: str
    wrong: str
    files: Mapping[str, str | bytes]
    command: Sequence[str] = ("validate", "study.yaml")
    before: Sequence[Sequence[str]] = ()
    code: int = 2
    lines: bool = True  # whether the message names the config's line
    kept: str = ""  # only the lines of the answer that match this; the others say what is not at fault


def edited(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, (text.count(old), old)
    return text.replace(old, new)


def study(
    title: str, old: str, new: str, *, wrong: str | None = None, table: str = HOUSES, **more: object
) -> Mistake:
    shown = new.strip("\n") if wrong is None else wrong
    return Mistake(title, shown, {"study.yaml": edited(STUDY, old, new), "houses.csv": table}, **more)  # type: ignore[arg-type]


def kinds(title: str, old: str, new: str, *, wrong: str | None = None, table: str = KINDS, **more: object) -> Mistake:
    shown = new.strip("\n") if wrong is None else wrong
    return Mistake(title, shown, {"study.yaml": edited(CLASSES, old, new), "kinds.csv": table}, **more)  # type: ignore[arg-type]


def function(
    title: str, old: str, new: str, *, body: str = BOWL, wrong: str | None = None, **more: object
) -> Mistake:
    files = {"study.yaml": edited(FUNCTION, old, new), "bowl.py": body}
    return Mistake(title, new.strip("\n") if wrong is None else wrong, files, **more)  # type: ignore[arg-type]


def command(title: str, line: str, *, files: Mapping[str, str | bytes] | None = None, **more: object) -> Mistake:
    found = {"study.yaml": FUNCTION, "bowl.py": BOWL} if files is None else files
    more = {"lines": False, **more}
    return Mistake(title, f"hptune {line}", found, command=tuple(line.split()), **more)  # type: ignore[arg-type]


LOGISTIC = """\
model: {class: sklearn.linear_model.LogisticRegression}
space:
  C: {type: float, min: 1e-3, max: 1e3, scale: log}
"""
ALPHA = "  regressor.ridge.alpha: {type: float, min: 1e-3, max: 1e3, scale: log}\n"
DATA = "data: {train: houses.csv, target: price, drop: [colour]}"
EVALUATE = "evaluate: {metric: r2, cv: 4}"
RUN = ("run", "study.yaml", "-q")
RUN_ALOUD = ("run", "study.yaml")
WARNED: dict[str, object] = {"code": 0, "kept": r"^warning|^ +\d* \|"}  # valid, and yet a warning

MISTAKES: Mapping[str, Sequence[Mistake]] = {
    "The YAML itself": [
        study("a misspelt key", "evaluate:", "evalute:", wrong="evalute: {metric: r2, cv: 4}"),
        study("a key that another tool has", "budget: {trials: 4}", "n_trials: 4"),
        study("a value where a mapping is wanted", "budget: {trials: 4}", "budget: 4"),
        study("a misspelt key further in", EVALUATE, "evaluate: {metrik: r2, cv: 4}"),
        study("no blank after a colon", "budget: {trials: 4}", "budget:{trials: 4}"),
        study(
            "no blank after a colon, and more than one key behind it",
            DATA,
            DATA.replace("data: ", "data:"),
        ),
        study("scikit-learn's name for a key", EVALUATE, "evaluate: {metric: r2, cv: {n_splits: 4}}"),
        study(
            "a tab for indentation",
            "  regressor.svr.kernel",
            "\tregressor.svr.kernel",
            wrong="⇥regressor.svr.kernel: [rbf, linear]",
        ),
        study(
            "wrong indentation",
            "  regressor.svr.kernel",
            "   regressor.svr.kernel",
            wrong="(three blanks, where the lines before have two)",
        ),
        study(
            "a key twice",
            "budget:",
            "oracle: {type: grid}\nbudget:",
            wrong="oracle: {type: random}\noracle: {type: grid}",
        ),
        study(
            "a bracket not closed",
            "kernel: [rbf, linear]",
            "kernel: [rbf, linear",
            wrong="  regressor.svr.kernel: [rbf, linear",
        ),
        study("a number in quotes", "budget: {trials: 4}", 'budget: {trials: "50"}'),
        study("a unit that does not exist", "budget: {trials: 4}", "budget: {trials: 4, time: 15 mins}"),
        study("an option of another oracle", "oracle: {type: random}", "oracle: {type: random, points: 5}"),
        study("an oracle that does not exist", "oracle: {type: random}", "oracle: {type: bayes}"),
        Mistake(
            "no model at all",
            "(no `model:`)",
            {"study.yaml": f"version: 1\nname: x\n{DATA}\nspace: {{a: [1, 2]}}\nevaluate: {{metric: r2}}\n"},
        ),
        Mistake("an empty file", "", {"study.yaml": ""}, lines=False),
    ],
    "The space": [
        function(
            "a name on two lines",
            "  x: {type: float, min: -1, max: 1}\n",
            '  "x\\ny": {type: float, min: -1, max: 1}\n',
        ),
        study("a list for a range", ALPHA, "  regressor.ridge.alpha: [0.001, 1000, log]\n"),
        study("a range without its type", ALPHA, "  regressor.ridge.alpha: {min: 1e-3, max: 1e3}\n"),
        study(
            "a distribution of another tool",
            ALPHA,
            "  regressor.ridge.alpha: {type: loguniform, low: 1e-3, high: 1e3}\n",
        ),
        study("two numbers for a range", ALPHA, "  regressor.ridge.alpha: [0.1, 100]\n", **WARNED),
        study("min above max", ALPHA, "  regressor.ridge.alpha: {type: float, min: 1e3, max: 1e-3}\n"),
        study(
            "a default outside the range",
            ALPHA,
            "  regressor.ridge.alpha: {type: float, min: 1e-3, max: 1e3, scale: log, default: 1e4}\n",
            **WARNED,
        ),
        study("a log scale from 0", ALPHA, "  regressor.ridge.alpha: {type: float, min: 0, max: 1, scale: log}\n"),
        study(
            "a whole number's range with fractions",
            ALPHA,
            "  regressor.ridge.max_iter: {type: int, min: 0.5, max: 10}\n",
        ),
        study("a misspelt parameter", ALPHA, "  regressor.ridge.alhpa: {type: float, min: 1, max: 2}\n"),
        study("a misspelt step", ALPHA, "  regresor.ridge.alpha: {type: float, min: 1, max: 2}\n"),
        study("a parameter without its alternative", ALPHA, "  regressor.alpha: {type: float, min: 1, max: 2}\n"),
        study(
            "a parameter of the other alternative", ALPHA, "  regressor.svr.alpha: {type: float, min: 1, max: 2}\n"
        ),
        study(
            "a range that the estimator refuses", ALPHA, "  regressor.ridge.alpha: {type: float, min: -1, max: 1}\n"
        ),
        study(
            "a choice that the estimator refuses",
            "kernel: [rbf, linear]",
            "kernel: [rfb, linear]",
            wrong="  regressor.svr.kernel: [rfb, linear]",
        ),
        study(
            "a condition on an unknown parameter",
            "kernel: [rbf, linear]",
            "kernel: [rbf, linear]\n"
            "  regressor.svr.gamma: {type: float, min: 1, max: 2, when: {regressor.svr.kernal: rbf}}",
            wrong="  regressor.svr.gamma: {..., when: {regressor.svr.kernal: rbf}}",
        ),
        study(
            "a condition on a value that never comes",
            "kernel: [rbf, linear]",
            "kernel: [rbf, linear]\n"
            "  regressor.svr.degree: {type: int, min: 2, max: 5, when: {regressor.svr.kernel: poly}}",
            wrong="  regressor.svr.kernel: [rbf, linear]\n"
            "  regressor.svr.degree: {..., when: {regressor.svr.kernel: poly}}",
        ),
        study(
            "constraints that forbid everything",
            "evaluate:",
            'constraints: [{require: "regressor.ridge.alpha < 0"}, {forbid: {regressor: svr}}]\nevaluate:',
            wrong='constraints:\n  - require: "regressor.ridge.alpha < 0"\n  - forbid: {regressor: svr}',
        ),
        study(
            "a constraint that the defaults break",
            "evaluate:",
            'constraints: [{require: "regressor.ridge.alpha > 10"}]\nevaluate:',
            wrong='constraints: [{require: "regressor.ridge.alpha > 10"}]',
        ),
        study(
            "a condition that nothing meets",
            "scale: log}\n  regressor.svr.C",
            "scale: log, when: {regressor: svr}}\n  regressor.svr.C",
            wrong="regressor.ridge.alpha: {..., when: {regressor: svr}}",
        ),
        study(
            "a constraint with a slip",
            "evaluate:",
            'constraints: [{require: "regressor.ridge.alpha <"}]\nevaluate:',
            wrong='constraints: [{require: "regressor.ridge.alpha <"}]',
        ),
        kinds(
            "two values that do not go together",
            "  C:",
            "  solver: [lbfgs, liblinear]\n  l1_ratio: [0, 1]\n  C:",
            wrong="  solver: [lbfgs, liblinear]\n  l1_ratio: [0, 1]",
        ),
        kinds(
            "a range that an option forbids",
            "  C:",
            "  l1_ratio: {type: float, min: 0, max: 1}\n  C:",
            wrong="l1_ratio: {type: float, min: 0, max: 1}   # solver: lbfgs, the default",
        ),
        kinds(
            "a range beyond what the data has",
            f"{LOGISTIC}",
            "model: {class: sklearn.neighbors.KNeighborsClassifier}\nspace:\n"
            "  n_neighbors: {type: int, min: 1, max: 100}\n",
            wrong="n_neighbors: {type: int, min: 1, max: 100}   # 40 rows, 4 folds",
        ),
    ],
    "The model": [
        study("a misspelt class", "sklearn.svm.SVR", "sklearn.svm.SVRR", wrong="svr: sklearn.svm.SVRR"),
        study("a class without its module", "sklearn.svm.SVR", "SVR", wrong="svr: SVR"),
        study(
            "a package that is not installed",
            "sklearn.svm.SVR",
            "xgboost.XGBRegressor",
            wrong="svr: xgboost.XGBRegressor",
        ),
        kinds(
            "a misspelt fixed parameter",
            "LogisticRegression}",
            "LogisticRegression, params: {max_itter: 500}}",
            wrong="model: {class: sklearn.linear_model.LogisticRegression, params: {max_itter: 500}}",
        ),
        study(
            "a folder of pickles for a pipeline's step",
            "scale: sklearn.preprocessing.StandardScaler",
            "scale: {class: sklearn.cluster.FeatureAgglomeration, params: {memory: cache}}",
            wrong="- scale: {class: sklearn.cluster.FeatureAgglomeration, params: {memory: cache}}",
        ),
        kinds(
            "a model that predicts something else",
            f"{LOGISTIC}",
            "model: {class: sklearn.cluster.KMeans}\nspace:\n  n_clusters: [2, 3]\n",
            wrong="model: {class: sklearn.cluster.KMeans}",
        ),
        study(
            "several columns for a text vectorizer",
            ", drop: [colour]}\nmodel:\n  pipeline:\n    - scale: sklearn.preprocessing.StandardScaler",
            "}\nmodel:\n  pipeline:\n    - prep: {columns: [{words: {select: [colour, size], with: "
            "sklearn.feature_extraction.text.TfidfVectorizer}}], remainder: passthrough}",
            wrong="- words: {select: [colour, size], with: sklearn.feature_extraction.text.TfidfVectorizer}",
        ),
        study(
            "a part of columns: without a name",
            ", drop: [colour]}\nmodel:\n  pipeline:\n    - scale: sklearn.preprocessing.StandardScaler",
            "}\nmodel:\n  pipeline:\n    - prep: {columns: [{select: number, with: sklearn.preprocessing.StandardScaler}]}",
            wrong="- {select: number, with: sklearn.preprocessing.StandardScaler}",
        ),
        function("a function that does not exist", "bowl:bowl", "bowl:bow", wrong="model: {function: bowl:bow}"),
        function("a module that does not exist", "bowl:bowl", "bowls:bowl", wrong="model: {function: bowls:bowl}"),
        function("a function without its module", "bowl:bowl", "bowl", wrong="model: {function: bowl}"),
        function(
            "a function that wants what it is not given",
            "trials: 3",
            "trials: 3",
            wrong="def bowl(values, epochs):\n    ...",
            body="def bowl(values, epochs):\n    return values['x'] ** 2\n",
            lines=False,
        ),
        function(
            "a function that does not report its steps",
            "budget:",
            "oracle: {type: hyperband, resource: steps, min: 3, max: 27}\nbudget:",
            wrong="oracle: {type: hyperband, resource: steps, min: 3, max: 27}   # def bowl(values): ...",
            command=("run", "study.yaml"),
            code=0,
            lines=False,
            kept=r"trial 1",
        ),
        function(
            "a function that returns text",
            "trials: 3",
            "trials: 3",
            wrong='def bowl(values):\n    return "good"',
            body='def bowl(values):\n    return "good"\n',
            command=RUN_ALOUD,
            code=4,
            lines=False,
            kept=r"trial 0|^error",
        ),
        function(
            "a function that raises",
            "trials: 3",
            "trials: 3",
            wrong='def bowl(values):\n    return values["y"]',
            body='def bowl(values):\n    return values["y"]\n',
            command=RUN_ALOUD,
            code=4,
            lines=False,
            kept=r"trial 0|^error",
        ),
        function(
            "a shell's signs without a shell",
            "model: {function: bowl:bowl}",
            "model: {command: '{python} bowl.py {x} | tee log', metrics: {stdout: json}}",
            **WARNED,
        ),
        Mistake(
            "a hyperparameter that only a hypermodel's fit asks for",
            "def fit(self, hp, model, X, y): ... hp.Boolean('sort') ...   # model: {hypermodel: \"mine:Mine\"}",
            {
                "study.yaml": HYPERMODEL,
                "kinds.csv": KINDS,
                "mine.py": MINE,
            },
            **WARNED,
        ),
    ],
    "The metric": [
        Mistake(
            "a function that is called with more than it takes",
            'def share(predicted): ...   # evaluate: {metric: "scores:share", direction: maximize, cv: 4}',
            {
                "study.yaml": edited(CLASSES, "metric: accuracy", 'metric: "scores:share", direction: maximize'),
                "kinds.csv": KINDS,
                "scores.py": "def share(predicted):\n    return float((predicted == 'big').mean())\n",
            },
        ),
        kinds("a target that no score can reach", "budget: {trials: 4}", "budget: {trials: 4, target: 1.5}"),
        function(
            "folds for a function",
            "direction: minimize}",
            "direction: minimize, cv: 5}",
            wrong="evaluate: {metric: value, direction: minimize, cv: 5}",
            **WARNED,
        ),
        study("a misspelt metric", "metric: r2", "metric: r_2", wrong="evaluate: {metric: r_2, cv: 4}"),
        study(
            "an error without `neg_`",
            "metric: r2",
            "metric: mean_squared_error",
            wrong="evaluate: {metric: mean_squared_error, cv: 4}",
        ),
        kinds(
            "a metric of regression for a classifier",
            "metric: accuracy",
            "metric: r2",
            wrong="evaluate: {metric: r2, cv: 4}   # model: LogisticRegression",
        ),
        kinds(
            "a metric that does not know which class counts",
            "metric: accuracy",
            "metric: f1",
            wrong="evaluate: {metric: f1, cv: 4}   # `kind` is small or big",
        ),
        kinds(
            "a regressor where the target is text",
            "LogisticRegression}\nspace:\n  C:",
            "Ridge}\nspace:\n  alpha:",
            wrong="model: {class: sklearn.linear_model.Ridge}   # `kind` is text",
        ),
        function(
            "no direction for a function's number", ", direction: minimize", "", wrong="evaluate: {metric: value}"
        ),
    ],
    "The data": [
        study("a file that does not exist", "houses.csv", "house.csv", wrong="data: {train: house.csv, ...}"),
        study("a column that does not exist", "target: price", "target: Price", wrong="data: {..., target: Price}"),
        study("no target", "target: price, ", "", wrong="data: {train: houses.csv}"),
        study(
            "text in a model for numbers",
            ", drop: [colour]",
            "",
            wrong="data: {train: houses.csv, target: price}   # `colour` is text",
        ),
        study(
            "gaps in the target",
            DATA,
            DATA,
            wrong="size,age,colour,price\n3,7,red,\n...",
            table=edited(HOUSES, "\n0,0,blue,0.0\n", "\n0,0,blue,\n"),
        ),
        study(
            "gaps in the features",
            DATA,
            DATA,
            wrong="size,age,colour,price\n,7,red,12\n...",
            table=edited(HOUSES, "\n0,0,blue,0.0\n", "\n,0,blue,0.0\n"),
        ),
        study(
            "a target that is always the same",
            DATA,
            DATA,
            wrong="size,age,colour,price\n3,7,red,5\n4,9,red,5\n...",
            table=re.sub(r",[-\d.]+\n", ",5\n", HOUSES),
        ),
        study(
            "the target among the features",
            DATA,
            DATA,
            wrong="size,age,colour,cost,price\n3,7,red,12,12\n...",
            table=re.sub(r",([-\d.]+|price)\n", lambda m: f",{m[1].replace('price', 'cost')},{m[1]}\n", HOUSES),
            **WARNED,
        ),
        kinds(
            "a class rarer than the folds",
            "cv: 4",
            "cv: 4",
            wrong="evaluate: {metric: accuracy, cv: 4}   # 3 rows of `odd`",
            table=KINDS + "1,2,odd\n3,4,odd\n5,6,odd\n",
            **WARNED,
        ),
        study(
            "the last rows held out of a table that is not sorted by time",
            "drop: [colour]}",
            "drop: [day], holdout: {shuffle: false}}",
            wrong="data: {train: houses.csv, target: price, drop: [day], holdout: {shuffle: false}}",
            table=HOUSES.replace("colour", "day").replace("red", "2024-05-02").replace("blue", "2024-05-01"),
            **WARNED,
        ),
        study("more folds than rows", "cv: 4", "cv: 100", wrong="evaluate: {metric: r2, cv: 100}   # 40 rows"),
        study(
            "more folds than groups",
            "drop: [colour]}",
            "groups: colour}",
            wrong="data: {..., groups: colour}   # of two colours\nevaluate: {metric: r2, cv: 4}",
        ),
        study(
            "nested folds that leave the folds inside too few rows",
            "cv: 4",
            "cv: {type: time_series, folds: 4, gap: 5}, nested: 3",
            wrong="evaluate: {metric: r2, cv: {type: time_series, folds: 4, gap: 5}, nested: 3}   # 40 rows",
        ),
        study(
            "a file that is no CSV",
            DATA,
            DATA,
            wrong="data: {train: houses.csv, ...}   # an Excel file, renamed",
            table=b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xff\xfe\x00" * 4,
        ),  # type: ignore[arg-type]
    ],
    "The command line": [
        command("a verb that does not exist", "tune study.yaml"),
        command("an option that does not exist", "run study.yaml --trails 10"),
        command("a config that does not exist", "run studdy.yaml"),
        command("an override without `=`", "run study.yaml -o budget.trials"),
        command(
            "an override with nothing behind `=`: the shell's variable is not set", "run study.yaml -o budget.trials="
        ),
        command("an override of an unknown key", "run study.yaml -o budget.trails=5"),
        command("the config where the run directory is meant", "trials study.yaml"),
        command(
            "a folder without a study",
            "show .",
        ),
        command("a trial that does not exist", "show runs/bowl 99", before=[RUN]),
        command("a parameter that does not exist", "best runs/bowl --param alpha", before=[RUN]),
        command("another problem in the same run directory", "run study.yaml -o seed=1", before=[RUN]),
        command("a config without a model, run", "run outside.yaml", files={"outside.yaml": OUTSIDE}),
        command("a config with a model, asked", "ask study.yaml"),
        command("a score that is no number", "tell runs/outside --trial 0 --value 0,31", before=[ASK], files=ASKED),
        command(
            "another score for a trial that has one",
            "tell runs/outside --trial 0 --value 0.4",
            before=[ASK, ("tell", "runs/outside", "--trial", "0", "--value", "0.31")],
            files=ASKED,
        ),
        command("a refit model where there is none", "predict runs/bowl new.csv", before=[RUN]),
    ],
    "Files and processes": [
        command(
            "a run directory where files of other programs lie",
            "run study.yaml --dir .",
            files={"study.yaml": FUNCTION, "bowl.py": BOWL, "model.joblib": "", "trials.csv": ""},
        ),
        command("a read-only folder", "run study.yaml --dir locked/bowl", code=6),
        command("the same study twice at once", "run study.yaml", code=5),
        command("a damaged journal", "show runs/bowl", code=5, before=[RUN]),
    ],
}


# -- running them --------------------------------------------------------------------------------------------------


def tried(mistake: Mistake, folder: Path) -> tuple[int, str]:
    """Make the mistake in `folder`, in this process; return the exit code and what was said."""
    for name, content in mistake.files.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with contextlib.chdir(folder), mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1", "CI": "1"}):
        for words in mistake.before:
            code, said = spoken(words)
            assert code == 0, said
        with circumstances(mistake.title, folder):
            code, said = spoken(mistake.command)
    said = said.replace(str(folder.resolve()), "/home/me").replace(str(folder), "/home/me")
    said = re.sub(r"process \d+ on \S+", "process 4711 on HOST", said)
    said = re.sub(r"at byte \d+", "at byte 1780", said)
    lines = [line.rstrip() for line in said.strip().splitlines() if not line.startswith(("hptune 0.", "looking at "))]
    return code, "\n".join(line for line in lines if re.search(mistake.kept, line))


def spoken(words: Sequence[str]) -> tuple[int, str]:
    from hptune import cli

    for name in {"bowl", "bowls"} & set(sys.modules):  # the last mistake's module, for a study in this process
        del sys.modules[name]
    importlib.invalidate_caches()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.invoke(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
    return code, err.getvalue() if code else out.getvalue() + err.getvalue()


@contextlib.contextmanager
def circumstances(title: str, folder: Path) -> Iterator[None]:
    """Bring about what files and words alone cannot."""
    if title == "a read-only folder":
        refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES))  # root may write where modes say no
        with mock.patch("pathlib.Path.mkdir", side_effect=refused):
            yield
    elif title == "the same study twice at once":
        from hptune import journal as jn

        (folder / "runs" / "bowl").mkdir(parents=True)
        (folder / "runs" / "bowl" / jn.NAME).touch()
        other = jn.take_lock(folder / "runs" / "bowl")  # as another process holds it, not as a Study of this one
        yield
        os.close(other)
    elif title == "a damaged journal":
        journal = folder / "runs" / "bowl" / "journal.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join([lines[0], b"{ damaged }\n", *lines[2:]]))
        yield
    else:
        yield


# -- the page ------------------------------------------------------------------------------------------------------

HEAD = """\
# What hptune says to a newcomer's mistakes

Each was made, on one of the three configs at the end of this page, and this is the answer, word for word; a test
makes them all again. Where nothing else is said, the command is `hptune validate study.yaml` (`hptune run` says the
same before the first trial) and the exit code is 2. Written by `python -m tests.mistakes`.
"""


def entry(mistake: Mistake, said: str) -> str:
    """Return one mistake as the page shows it."""
    asked = (
        "" if mistake.wrong.startswith("hptune ") or mistake.command[0] == "validate" else "`hptune run study.yaml`"
    )
    code = "" if mistake.code == 2 else f"exit code {mistake.code}"
    notes = "; ".join(filter(None, (asked, code)))
    title = f"**{mistake.title[0].upper()}{mistake.title[1:]}**" + (f" ({notes})" if notes else "")
    wrong = f"```\n{textwrap.dedent(mistake.wrong)}\n```\n\n" if mistake.wrong else ""
    return f"{title}\n\n{wrong}```text\n{said}\n```\n"


def page(answers: Mapping[str, str]) -> str:
    """Return the page for the answers by title."""
    parts = [HEAD]
    for section, mistakes in MISTAKES.items():
        parts.append(f"## {section}\n")
        parts += [entry(mistake, answers[mistake.title]) for mistake in mistakes]
    parts.append("## The configs without a mistake\n")
    parts += [f"```yaml\n{text}```\n" for text in (STUDY, CLASSES, FUNCTION)]
    return "\n".join(parts)


def main() -> None:
    answers = {}
    for mistake in (one for mistakes in MISTAKES.values() for one in mistakes):
        with tempfile.TemporaryDirectory() as folder:
            code, answers[mistake.title] = tried(mistake, Path(folder))
        if code != mistake.code:
            sys.exit(f"{mistake.title}: expected exit code {mistake.code}, found {code}\n{answers[mistake.title]}")
    PAGE.write_text(page(answers))


if __name__ == "__main__":
    main()
