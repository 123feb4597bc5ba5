"""best.yaml of a command whose winner lacks a parameter that the command names: it runs, and with the same command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hptune import cli

# What the command was given is its own record: its arguments, and whether the variable was set.
TRAIN = """
import json, os, pathlib, sys
with pathlib.Path("seen.jsonl").open("a") as out:
    out.write(json.dumps([sys.argv[1:], os.environ.get("MOM")]) + "\\n")
print(json.dumps({"loss": 0.0 if "adam" in sys.argv else 1.0}))
"""
CONFIG = """
name: train
model:
  command: "{python} train.py --opt {opt} --momentum {momentum} --lr {lr}"
  metrics: METRICS
  env: {MOM: "{momentum}"}
space:
  opt: [sgd, adam]
  momentum: {type: float, min: 0, max: 0.9, when: {opt: sgd}}
  lr: {type: float, min: 0.1, max: 1}
start_with: [{opt: adam, lr: 0.5}]
evaluate: {metric: loss, direction: minimize}
budget: {trials: 2}
executor: {type: serial}
"""


@pytest.mark.parametrize("metrics", ["{stdout: json}", "{regex: {loss: '\"loss\": (\\d{1,3}\\.\\d)'}}"])
def test_best_yaml_of_a_command_runs_with_the_winners_own_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metrics: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MOM", raising=False)
    Path("train.py").write_text(TRAIN)
    Path("train.yaml").write_text(CONFIG.replace("METRICS", metrics))
    assert cli.invoke(["run", "train.yaml"]) == 0
    searched = [json.loads(line) for line in Path("seen.jsonl").read_text().splitlines()]
    Path("seen.jsonl").unlink()
    assert cli.invoke(["run", "runs/train/best.yaml"]) == 0
    seen = [json.loads(line) for line in Path("seen.jsonl").read_text().splitlines()]
    assert seen == [one for one in searched if "adam" in one[0]][:1]
    assert seen[0] == [["--opt", "adam", "--lr", "0.5"], None]
