"""The floors of docs/architecture.md: a file imports only from lower floors, and nothing heavy comes in too early."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "hptune"

PARTS = ("arguments", "data", "folds", "kept", "model", "objective", "report")
"""The subjects of `Tuner` that have a file of their own."""

# From the top down; on each floor, path prefixes relative to hptune/. A file may import from its own floor (if it is
# marked so) and from those below. `hptune/__init__` exports lazily and is not on a floor.
FLOORS: list[tuple[str, tuple[str, ...]]] = [
    ("face", ("__main__", "cli", "commands", "tuner", *(f"tuner_{part}" for part in PARTS))),
    (
        "wiring",
        (
            "asking",
            "compose",
            "cross_checks",
            "session",
            "nested",
            "config",
            "open_study",
            "own_oracle",
            "prior_runs",
            "probing",
            "rehearsal",
            "run_directory",
        ),
    ),
    ("loop", ("loop", "in_flight", "under_way", "begun", "final_rounds", "limits", "spool", "syncer")),
    ("study", ("study", "study_arguments")),
    ("view", ("report", "console", "analysis", "gate")),
    ("executors", ("early", "executor", "executors", "slot", "spawn")),
    (
        "policy",
        (
            "consult",
            "ended",
            "oracle",
            "oracles",
            "observations",
            "design",
            "finals",
            "loss_model",
            "prior",
            "racing",
            "refinement",
            "simplicity",
            "stopping",
        ),
    ),
    ("memory", ("journal", "held", "repair", "history", "events", "replay")),
    ("worker", ("worker", "models", "model", "data", "dataset", "evaluate", "cv")),
    (
        "values",
        [
            "attribute_docs",
            "checksum",
            "collecting",
            "conditions",
            "definitions",
            "encoding",
            "enumeration",
            "errors",
            "expressions",
            "frames",
            "guard",
            "hypermodel",
            "hyperparameters",
            "inference",
            "job",
            "logfile",
            "names",
            "class_keys",
            "objective",
            "owned",
            "parameters",
            "places",
            "plugins",
            "race",
            "randomness",
            "reachable",
            "regular_file",
            "resource",
            "recording",
            "scales",
            "space",
            "spaces",
            "spec",
            "spool_file",
            "threads",
            "trial",
        ],  # type: ignore[list-item]
    ),
    ("mathematics", ("surrogate", "statistics", "optimism", "learning_curve", "sensitivity", "sobol")),
]


def floor(module: str) -> int:
    for number, (_, prefixes) in enumerate(FLOORS):
        if module.split(".")[0] in prefixes:
            return number
    raise AssertionError(f"hptune/{module} stands on no floor: name it in FLOORS and docs/architecture.md")


def modules() -> dict[str, Path]:
    out = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            out[name] = path
    return out


def imports(path: Path, *, lazy: bool) -> set[str]:
    """Return what a file imports from hptune: at import time, or (`lazy`) also inside functions."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not lazy:
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    known = modules()
    return {
        name.removeprefix("hptune.") for name in found if name.removeprefix("hptune.") in known and name != "hptune"
    }


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_imports_only_from_its_own_floor_or_lower_ones(module: str) -> None:
    here = floor(module)
    above = sorted(other for other in imports(modules()[module], lazy=False) if floor(other) < here)
    assert above == [], f"{module} ({FLOORS[here][0]}) imports from above"


def test_the_page_names_every_file_on_its_floor() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(
        r"^\| (?:face|wiring|loop|study|view|executors|policy|memory|worker|values|mathematics)\b.*$",
        page,
        re.MULTILINE,
    )
    assert len(rows) == len(FLOORS)
    for row, (name, members) in zip(rows, FLOORS, strict=True):
        assert row.startswith(f"| {name}")
        missing = [one for one in members if f"`{one}.py`" not in row and f"`{one}/`" not in row]
        assert not missing, f"docs/architecture.md, {name}"


BUILT_LATE = {("oracles.halving", "oracles")}
"""A sampler is built from its name, which the registry alone knows, and the registry holds who has a sampler."""


def test_no_imports_go_in_a_circle() -> None:
    """Not within functions either: an import put off hides a circle, it does not open it."""
    graph = {name: imports(path, lazy=True) - {name} for name, path in modules().items()}
    for name, other in BUILT_LATE:
        graph[name].remove(other)
    # A package's __init__ is its registry: it imports its members, which may import neither it nor each other's.
    waiting = dict(graph)
    while waiting:
        free = [name for name, needs in waiting.items() if not needs & waiting.keys()]
        assert free, f"a circle among {sorted(waiting)}"
        for name in free:
            del waiting[name]


def test_the_loop_and_the_policies_never_meet_worker_or_disk() -> None:
    for module, path in modules().items():
        if floor(module) in (floor("loop"), floor("oracle"), floor("study")):
            others = imports(path, lazy=True)
            assert not {o for o in others if o.split(".")[0] == "worker"}, module
        if floor(module) == floor("oracle"):
            assert not {o for o in imports(path, lazy=True) if o.split(".")[0] in ("journal", "loop", "study")}, (
                module
            )


HEAVY = ("numpy", "scipy", "sklearn", "pandas", "pydantic", "yaml")


def loaded(code: str) -> set[str]:
    """Return the top-level modules in sys.modules after running `code` in a fresh interpreter."""
    program = f"{code}\nimport json, sys; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(out.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    found = loaded("import sys; sys.argv = ['hptune', '--help']\nfrom hptune.__main__ import main\n"
                   "try:\n    main()\nexcept SystemExit:\n    pass")  # fmt: skip
    assert found.isdisjoint(HEAVY)


def test_the_first_worker_of_a_run_is_started_before_anything_heavy_is_loaded() -> None:
    assert loaded("import hptune.commands._ahead, hptune.__main__").isdisjoint({*HEAVY, "typer"})


def test_importing_hptune_loads_nothing_heavy() -> None:
    assert loaded("import hptune").isdisjoint(HEAVY)


def test_loading_every_config_needs_no_scikit_learn_scipy_or_pandas() -> None:
    configs = sorted(str(path) for path in (ROOT / "configs").rglob("*.yaml"))
    assert configs
    found = loaded(f"from hptune.config.load import load\nfor path in {configs!r}:\n    load(path)")
    assert found.isdisjoint({"sklearn", "scipy", "pandas"})


def test_the_coordinators_modules_need_no_scikit_learn_scipy_or_pandas() -> None:
    found = loaded("import hptune.compose, hptune.loop, hptune.study, hptune.console, hptune.commands.run")
    assert found.isdisjoint({"sklearn", "scipy", "pandas"})
