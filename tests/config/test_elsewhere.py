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
