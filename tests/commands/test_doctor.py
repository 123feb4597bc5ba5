"""`hptune doctor`: one line a fact, with its mend; exit 1 only where something indispensable is missing."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest

from hptune import cli
from hptune.commands import doctor
from hptune.commands.doctor import Check

Capture = pytest.CaptureFixture[str]


def worker(check: Check) -> object:
    return lambda: check


def test_every_line_has_a_level_and_what_is_not_ok_has_a_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "_child", worker(Check("worker process", "ok", "answered")))
    assert cli.invoke(["doctor", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == "looking at this machine, and starting a worker ...\n"
    found = json.loads(out)
    assert found["ok"] is True
    names = [check["name"] for check in found["checks"]]
    assert {"python", "cores", "memory", "numpy", "scikit-learn", "thread pools", "file locks", "encoding"} <= {
        *names
    }
    assert all(check["level"] == "ok" or check["mend"] for check in found["checks"])
    assert list(tmp_path.iterdir()) == []


def test_a_fail_is_exit_1_and_its_mend_stands_under_it(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(
        doctor, "examine", lambda: iter([Check("x", "ok", "fine"), Check("y", "fail", "gone", "get y")])
    )
    assert cli.invoke(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok    x  fine",
        "fail  y  gone",
        " " * 9 + "get y",
        "",
        "1 ok, 1 fail",
    ]


@pytest.mark.parametrize(
    ("found", "wanted", "level"),
    [
        ("1.26.0", ">=1.26", "ok"),
        ("1.9", ">=1.26", "fail"),
        ("2.0rc1", ">=1.26.4", "ok"),
        ("1.26", ">=1.26.0", "ok"),
        (None, ">=1.26", "fail"),
        ("0.1", "", "ok"),
    ],
)
def test_a_requirement_compares_versions_by_number(
    found: str | None, wanted: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(doctor.metadata, "version", version)
    check = doctor.requirement(f"some-package{wanted}")
    assert check.level == level
    assert (f'pip install "some-package{wanted}"' in check.mend) == (level == "fail")


def test_a_working_directory_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    check = doctor._folder("working directory", tmp_path / "gone")
    assert check.level == "warn"
    assert "--dir" in check.mend


@pytest.mark.slow
def test_a_worker_is_started_and_timed() -> None:
    check = doctor._child()
    assert check.level in ("ok", "warn")
    assert "answered in" in check.found
