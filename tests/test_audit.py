"""`make audit` says what it knows: a weakness fails it, so does a service that breaks off, and silence is never "clean".

Programs stand in for pip-audit that answer as it did with a local OSV service: whole, with a 503 in the middle, with none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import audit

CLEAN = '{"dependencies": [{"name": "numpy", "version": "2.4.6", "vulns": []}], "fixes": []}'
WEAK = (
    '{"dependencies": [{"name": "numpy", "version": "2.4.6", "vulns": [{"id": "PYSEC-2099-1", "fix_versions": ["99.0"], '
    '"aliases": [], "description": "s"}]}, {"name": "scipy", "version": "1.17.1", "vulns": []}], "fixes": []}'
)
SKIPPED = '{"name": "scipy", "skip_reason": "Dependency not found on PyPI and could not be audited: scipy (1.17.1)"}'
NOTHING = '{"dependencies": [%s], "fixes": []}' % SKIPPED  # noqa: UP031 - braces
PARTLY = CLEAN.replace('], "fixes"', f', {SKIPPED}], "fixes"')
CRASH = "Traceback ...\n    raise ServiceError from http_error\npip_audit._service.interface.ServiceError"


def tool(folder: Path, whole: tuple[str, str, int], one: tuple[str, str, int]) -> tuple[str, str]:
    """A program that answers `whole` (stdout, stderr, exit code) for a lock, and `one` for a single package."""
    path = folder / "tool.py"
    path.write_text(
        f"import sys\nout, err, code = {one!r} if '--no-deps' in sys.argv else {whole!r}\n"
        "print(out)\nprint(err, file=sys.stderr)\nsys.exit(code)\n"
    )
    return sys.executable, str(path)


SILENT = ("", CRASH, 1)
CASES = {
    "clean": ((CLEAN, "", 0), SILENT, 0, "1 of 1 packages audited, 0 with known weaknesses"),
    "weak": ((WEAK, "", 1), SILENT, 1, "numpy 2.4.6: PYSEC-2099-1 (mended in 99.0)"),
    "weak, but exit code 0": ((WEAK, "", 0), SILENT, 1, "which is not what it says"),
    "no service": (SILENT, SILENT, 0, "NOT AUDITED"),
    "a service that knows nothing": ((NOTHING, "", 0), SILENT, 0, "NOT AUDITED"),
    "a service that breaks off": (SILENT, (CLEAN, "", 0), 1, "broke off"),
    "a service that knows some": ((PARTLY, "", 0), SILENT, 1, "not audited: scipy"),
    "a fault of pip-audit": (("", "usage: pip-audit", 2), SILENT, 1, "pip-audit failed"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_audit_says_and_its_exit_code(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HPTUNE_AUDIT", raising=False)
    whole, one, code, words = CASES[name]
    (tmp_path / "x.lock").write_text("numpy==2.4.6 \\\n    --hash=sha256:00\n")
    assert audit.main(str(tmp_path / "x.lock"), tool(tmp_path, whole, one)) == code
    said = capsys.readouterr()
    assert words in said.out + said.err
    assert ("NOT AUDITED" in said.out) is (words == "NOT AUDITED")


def test_where_an_audit_is_required_silence_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPTUNE_AUDIT", "required")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "x.lock").write_text("numpy==2.4.6\n")
    assert audit.main(str(tmp_path / "x.lock"), tool(tmp_path, SILENT, SILENT)) == 1
    assert "::warning title=make audit::" in capsys.readouterr().out
