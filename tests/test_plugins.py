"""Pydantic's plugins: not looked for by hptune itself, left alone for the user's models and in what the user has set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hptune import plugins

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
    clean = {name: value for name, value in os.environ.items() if name != "PYDANTIC_DISABLE_PLUGINS"}
    done = subprocess.run(
        [sys.executable, "-c", LOOKED.format(body=body)], env=clean, capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def test_options_are_built_without_looking_for_plugins_and_the_users_models_with() -> None:
    own = "from hptune.oracles import ORACLES\nORACLES['random']()"
    users = "\nfrom pydantic import BaseModel\nclass Theirs(BaseModel):\n    a: int"
    assert looked_for(own) == 0
    assert looked_for(own + users) == 1


def test_the_command_line_does_not_look_for_plugins() -> None:
    body = "from hptune.__main__ import main\nsys.argv = ['hptune', 'oracles']\n"
    body += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert looked_for(body) == 0


def test_workers_inherit_what_the_user_set_and_not_what_hptune_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_ours", False)
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    plugins.without_plugins_here()
    assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__"
    assert "PYDANTIC_DISABLE_PLUGINS" not in plugins.environment()
    monkeypatch.setattr(plugins, "_ours", False)
    monkeypatch.setenv("PYDANTIC_DISABLE_PLUGINS", "logfire-plugin")
    plugins.without_plugins_here()
    assert plugins.environment()["PYDANTIC_DISABLE_PLUGINS"] == "logfire-plugin"
    with plugins.no_plugins():
        assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "logfire-plugin"


def test_for_a_moment_means_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    with plugins.no_plugins():
        assert os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__"
    assert "PYDANTIC_DISABLE_PLUGINS" not in os.environ
