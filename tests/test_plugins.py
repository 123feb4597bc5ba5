"""Pydantic's plugins: not looked for by hptune itself, left alone for the user's models and in what the user has set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hptune import cli, plugins

ROOT = Path(__file__).parent.parent
NAME = "PYDANTIC_DISABLE_PLUGINS"
LOOKED = """
import sys
from importlib import metadata
real, asked = metadata.entry_points, []
metadata.entry_points = lambda **wanted: asked.append(wanted.get("group")) or real(**wanted)
{body}
print(asked.count("pydantic"))
"""


def looked_for(body: str) -> int:
    """Return how often a Python process that runs `body` looks for pydantic's plugins."""
    clean = {name: value for name, value in os.environ.items() if name != NAME}
    done = subprocess.run(
        [sys.executable, "-c", LOOKED.format(body=body)], env=clean, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def test_options_are_built_without_looking_for_plugins_and_the_users_models_with() -> None:
    own = "from hptune.oracles import ORACLES\nORACLES['random']()"
    users = "\nfrom pydantic import BaseModel\nclass Theirs(BaseModel):\n    a: int"
    assert looked_for(own) == 0
    assert looked_for(own + users) == 1


@pytest.mark.parametrize("arguments", [["best", "--help"], ["validate", str(ROOT / "configs" / "function.yaml")]])
def test_the_command_line_does_not_look_for_plugins(arguments: list[str]) -> None:
    body = f"from hptune.__main__ import main\nsys.argv = {['hptune', *arguments]!r}\n"
    body += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert looked_for(body) == 0


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "")  # or what a test leaves would stay: deleting what is not there is not undone
    monkeypatch.delenv(NAME)


@pytest.mark.usefixtures("unset")
def test_for_a_moment_means_for_a_moment_and_for_no_child() -> None:
    with plugins.no_plugins():
        with plugins.no_plugins():
            assert os.environ[NAME] == "__all__"
        assert os.environ[NAME] == "__all__"
        assert NAME not in plugins.environment()
    assert NAME not in os.environ


def test_what_the_user_has_set_stays_and_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "logfire-plugin")
    with plugins.no_plugins():
        assert os.environ[NAME] == plugins.environment()[NAME] == "logfire-plugin"
    assert os.environ[NAME] == "logfire-plugin"


@pytest.mark.usefixtures("unset")
def test_a_verb_begins_with_the_users_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bool] = []
    monkeypatch.setattr("hptune.commands.schema.schema", lambda kind: found.append(NAME in os.environ) or 0)
    assert cli.invoke(["schema"]) == 0
    assert found == [False]
