"""`python -m benchmarks`: what there is to measure, and the figures stored last.

Each benchmark is a command of its own, because some take hours; README.md says what they need.
"""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
COMMANDS = {
    "python -m benchmarks.honesty": "coverage, false alarms and bias of the reported gain (replays stored folds)",
    "python -m benchmarks.honesty.product": "the same of hptune as it comes, judged on fresh rows (2 s a study)",
    "python -m benchmarks.importance": "error and coverage of importance on functions with known indices (10 minutes)",
    "python -m benchmarks.checks": "wrong spaces caught before the first fit (5 minutes)",
    "python -m benchmarks.oracles run|table|stalls|speed": "oracles beside their rivals (hours; see README.md)",
    "python -m benchmarks.sphere": "how far an oracle comes down a 10-D sphere (half a minute)",
    "python -m benchmarks.fidelity": "hyperband against full fidelity (hours)",
    "python -m benchmarks.prior run|table": "what prior knowledge gains and costs (ten minutes)",
    "python -m benchmarks.racing": "fits saved by fold racing and its rivals, replayed on stored folds",
    "python -m benchmarks.racing.neighbours": "the race against neighbours beside that against the incumbent, replayed",
    "python -m benchmarks.racing.search": "whole searches with racing and without (long)",
    "python -m benchmarks.execution": "workers' busy share, the coordinator's CPU, deadlines (3 minutes)",
    "python -m benchmarks.wallclock": "fits and CPU seconds beside GridSearchCV, Optuna, ... (long; see its docstring)",
    "python -m configs.article.seeds": "the article's study over 200 seeds (15 minutes)",
}


def main() -> None:
    """Print the commands, and the stored figures of those that keep some."""
    for command, what in COMMANDS.items():
        print(f"{command}\n    {what}")
    checks = json.loads((RESULTS / "checks.json").read_text())
    print(f"\nwrong spaces caught: {checks['all'][0]} of {checks['all'][1]} ({RESULTS.name}/checks.json)")
    print("oracles: benchmarks/RESULTS.md; honesty: benchmarks/honesty/results/tables.md")


if __name__ == "__main__":
    main()
