"""What people write because another tool, or another section, calls it so: each is answered with what to write."""

from __future__ import annotations

import pytest

from tests.config.helpers import PIPELINE, RIDGE, loaded, refused

PIPE = "data: {train: 'sklearn:load_iris'}\nmodel: "
STEPS = "{pipeline: [{scale: sklearn.preprocessing.StandardScaler}, {lr: sklearn.linear_model.LogisticRegression}]}\n"
COMMAND = """\
evaluate: {metric: loss, direction: minimize}
space: {lr: [1, 2]}
model: {metrics: {stdout: json}, cwd: /, command: """


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RIDGE + "n_trials: 5", "n_trials: unknown key; write budget: {trials: 5}"),
        (RIDGE + "n_iter: 5", "n_iter: unknown key; write budget: {trials: 5}"),
        (RIDGE + "max_trials: 5", "max_trials: unknown key; write budget: {trials: 5}"),
        (RIDGE + "timeout: 60", "timeout: unknown key; write budget: {time: 60}"),
        (RIDGE + "n_jobs: 4", "n_jobs: unknown key; write executor: {workers: 4}"),
        (RIDGE + "n_jobs: -1", "n_jobs: unknown key; write executor: {workers: auto}"),
        (RIDGE + "direction: maximize", "direction: unknown key; write evaluate: {direction: maximize}"),
        (RIDGE + "cv: {type: kfold}", "cv: unknown key; write evaluate: {cv: ...}"),
        (RIDGE + "random_state: 1", "random_state: unknown key; write seed: 1"),
        (RIDGE + "param_grid: {alpha: [1]}", "param_grid: unknown key; write space: ..."),
        (RIDGE + "refit: true", "refit: unknown key; write output: {refit: true}"),
        (RIDGE + "study_name: a", "study_name: unknown key; write name: a"),
        (
            RIDGE + "pruner: hyperband",
            "pruner: unknown key; write oracle: {type: hyperband}, or evaluate: {early_stop_folds: true}",
        ),
        (RIDGE + "overwrite: true", "overwrite: unknown key; leave it out: `hptune run --fresh` starts over"),
        (
            RIDGE + "output: {overwrite: true}",
            "output.overwrite: unknown key; leave it out: `hptune run --fresh` starts over",
        ),
        (RIDGE + "test_size: 0.2", "test_size: unknown key; write data: {holdout: {fraction: 0.2}}"),
        (
            RIDGE.replace("}\n", ", test_size: 0.2}\n").replace("Ridge, test_size: 0.2", "Ridge"),
            "data.test_size: unknown key; write holdout: {fraction: 0.2}",
        ),
        (
            RIDGE + "evaluate: {cv: {type: repeated_kfold, n_splits: 3}}",
            "evaluate.cv.n_splits: unknown key; write folds: 3",
        ),
        (RIDGE + "evaluate: {cv: KFold}", "evaluate.cv: expected a whole number, found 'KFold'; write {type: kfold}"),
        (
            RIDGE + "evaluate: {metric: [r2, max_error]}",
            "evaluate.metric: expected text, found a list; write metric: r2 and also: [max_error], whose scores are "
            "told too",
        ),
        (
            RIDGE.replace("'sklearn:load_diabetes'", "'sklearn:load_diabetes', holdout: {fraction: 20%}"),
            "data.holdout.fraction: expected a number, found '20%'; write 0.2",
        ),
        (
            RIDGE.replace("'sklearn:load_diabetes'", "'sklearn:load_diabetes', holdout: 20%"),
            "data.holdout: expected a mapping, found '20%'; write {fraction: 0.2}",
        ),
        (RIDGE + "oracle: TPE", "oracle: expected a mapping such as {type: tpe}, found 'TPE'"),
        (
            PIPE + "{pipeline: [{svr: SVR}]}",
            "model.pipeline[0].svr: expected a dotted path such as sklearn.svm.SVR, found 'SVR'",
        ),
        (
            PIPE + "SVR",
            "model: expected a mapping such as {class: sklearn.svm.SVC}, found 'SVR'; write {class: sklearn.svm.SVR}",
        ),
        (
            PIPE + "{pipeline: ['scale:sklearn.preprocessing.MinMaxScaler']}",
            "model.pipeline[0]: expected a mapping, found 'scale:sklearn.preprocessing.MinMaxScaler'; is a space "
            "missing after the colon? Write `- scale: sklearn.preprocessing.MinMaxScaler`",
        ),
        (
            RIDGE + "budget:{trials: 4}",
            "budget:{trials: unknown key; is a space missing after the colon? Write `budget: {...}`",
        ),
        *(
            (
                RIDGE + f"space: {{alpha: {{type: {kind}, low: .1, high: 100}}}}",
                f"space.alpha.type: expected one of float, int, choice, boolean, fixed, found {kind!r}; {mend}",
            )
            for kind, mend in {
                "loguniform": "write type: float, scale: log",
                "uniform": "did you mean 'float'?",
                "quniform": "did you mean 'float'?",
                "int_uniform": "did you mean 'int'?",
                "randint": "did you mean 'int'?",
                "categorical": "did you mean 'choice'?",
            }.items()
        ),
        (RIDGE + "budget: {n_iter: 5}", "budget.n_iter: unknown key; did you mean 'trials'?"),
        (RIDGE + "evaluate: {scoring: r2}", "evaluate.scoring: unknown key; did you mean 'metric'?"),
        (RIDGE + "evaluate: {n_jobs: 2}", "evaluate.n_jobs: unknown key; write executor: {workers: 2}"),
        (RIDGE + "budget: 50", "budget: expected a mapping, found 50; write {trials: 50}"),
        (RIDGE + "budget: 30m", "budget: expected a mapping, found '30m'; write {time: 30m}"),
        (RIDGE + "gate: true", "gate: expected a mapping, found true; write {min_gain: 0}"),
        (RIDGE + "output: runs/x", "output: expected a mapping, found 'runs/x'; write {dir: runs/x}"),
        (
            RIDGE + "evaluate: {cv: stratified}",
            "evaluate.cv: expected a whole number, found 'stratified'; write {type: stratified}",
        ),
        (
            RIDGE + "evaluate: {metric: 'met.py:prob', direction: maximize}",
            "evaluate.metric: expected module:function without .py, found 'met.py:prob'",
        ),
        (
            RIDGE + "budget: {trial_memory: 2MB}",
            "budget.trial_memory: expected at least 64MiB, as no worker can live in less, found 1.91MiB",
        ),
        (
            PIPE + "{pipeline: {a: sklearn.svm.SVC}}",
            "model.pipeline: expected a list, found a mapping; write each step as an item: `- a: ...`",
        ),
        (
            PIPE + "{pipeline: [sklearn.preprocessing.MinMaxScaler]}",
            "model.pipeline[0]: expected a mapping, found 'sklearn.preprocessing.MinMaxScaler'; a step needs a name: "
            "`- min_max_scaler: sklearn.preprocessing.MinMaxScaler`",
        ),
        (PIPE + STEPS + "space: {C: [1, 2]}", "space.C: no step 'C'; did you mean 'lr.C'?"),
        (
            PIPE + STEPS + "space: {tol: [1, 2]}",
            "space.tol: no step 'tol' (steps: scale, lr); write lr.tol, if it is of that",
        ),
        (
            RIDGE
            + "space: {solver: [svd, lsqr], alpha: {type: float, min: 1, max: 2, when: {solver: {in: [svd, 1]}}}}",
            "space.alpha.when.solver: a list alone means one of it: write `solver: [svd, 1]`",
        ),
    ],
)
def test_the_message_says_what_to_write(text: str, said: str) -> None:
    (found,) = refused(text + "\n")
    assert found.partition(": ")[2] == said


def test_a_number_of_folds_under_scikit_learns_name_is_told_both_forms() -> None:
    (found,) = refused(RIDGE + "evaluate: {cv: {n_splits: 3}}\n")
    assert found.endswith("; write cv: 3, or {type: kfold, folds: 3}")


@pytest.mark.parametrize(
    ("text", "line", "key", "mend"),
    [
        ("data:{train: a.csv, target: y}\n", 1, "data", "{...}"),
        ("name: x\nspace:\n  alpha:[1, 2]\n  beta: 3\n", 3, "alpha", "[...]"),
        ("version: 1\nname:'x y'\n", 2, "name", "'...'"),
        ("model: {class: a.B, params:{c: 1}}\n", 1, "params", "{...}"),
    ],
)
def test_a_blank_missing_before_a_bracket_or_quote_is_found(text: str, line: int, key: str, mend: str) -> None:
    (found,) = refused(text)
    message = f"expected a space after the colon, found {key}:{mend[0]}...: write `{key}: {mend}`"
    assert found == f"c.yaml:{line}: {message}"


def test_a_parameter_without_its_step_is_that_of_a_first_alternative() -> None:
    (found,) = refused(PIPELINE + "space: {beta: [1, 2]}\n")
    assert found.endswith(
        "no step 'beta' (steps: impute, scale, regressor); write regressor.ridge.beta, if it is of that"
    )


def test_little_memory_for_scikit_learn_is_doubted() -> None:
    (found,) = loaded(RIDGE + "budget: {trial_memory: 100MiB}\n").warnings
    assert "budget.trial_memory: a worker with scikit-learn takes about 200MiB, found 100MiB" in str(found)
    assert loaded(RIDGE + "budget: {trial_memory: 400MiB}\n").warnings == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"/bin/echo {lr} | tee log"', "|"),
        ('"/bin/echo {lr} > log && true"', "> and &&"),
        ('"/bin/echo {lr} ; /bin/echo 2>&1"', "; and 2>&1"),
        ("\"/bin/echo {lr} '|' x\"", ""),
        ("[/bin/echo, '{lr}', '|']", ""),
        ('"/bin/echo {lr} | cat", shell: true', ""),
        ('"/bin/echo {lr} it\\\\\'s"', ""),
    ],
)
def test_what_only_a_shell_acts_on_is_said_where_no_shell_reads_it(line: str, words: str) -> None:
    said = [str(one) for one in loaded(COMMAND + line + "}\n").warnings]
    assert len(said) == bool(words), said
    if words:
        assert f"model.command: {words} goes to the program as an argument" in said[0]
        assert "shell: true" in said[0]
