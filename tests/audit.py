"""`python -m tests.audit LOCK...`: known weaknesses of what lock files install, by pip-audit.

Exits with 1 if there is one, and whenever an advisory service answered for some packages only: what it did not say may be
what matters. Where none answers at all (PyPI's and OSV's are asked), nothing is known, and the output says NOT AUDITED in
so many words; that is a failure only with HPTUNE_AUDIT=required, for the pipeline of a place that has a service.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOOL = (str(Path(__file__).resolve().parents[1] / ".audit" / "bin" / "pip-audit"),)
SERVICES = ("pypi", "osv")
UNREACHABLE = ("ConnectionError", "ServiceError", "timed out", "Max retries", "Temporary failure", "ProxyError")


class Unreachable(Exception):
    """The advisory service did not answer, or not to the end."""


class Broken(Exception):
    """pip-audit failed for a reason of its own."""


def ask(lock: Path, service: str, tool: Sequence[str], *more: str) -> list[dict[str, Any]]:
    """Return what pip-audit says of each package; raises `Unreachable` and `Broken`."""
    command = [
        *tool,
        "-f",
        "json",
        "--progress-spinner",
        "off",
        "--disable-pip",
        "-s",
        service,
        *more,
        "-r",
        str(lock),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(word in done.stderr for word in UNREACHABLE):
            raise Unreachable from None
        raise Broken(done.stderr) from None
    if (done.returncode != 0) is not any(one.get("vulns") for one in packages):
        raise Broken(f"exit code {done.returncode}, which is not what it says:\n{done.stdout}{done.stderr}")
    return list(packages)


def alive(lock: Path, service: str, tool: Sequence[str]) -> bool:
    """Whether the service answers for the first package of a lock, if it does not for all."""
    first = next((line.split()[0] for line in lock.read_text().splitlines() if "==" in line), None)
    if first is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.txt").write_text(first + "\n")
        try:
            return any("skip_reason" not in one for one in ask(Path(folder) / "one.txt", service, tool, "--no-deps"))
        except Unreachable:
            return False


def main(lock: str, tool: Sequence[str] = TOOL) -> int:
    """Audit one lock and say what came of it; return the exit code."""
    for service in SERVICES:
        try:
            packages = ask(Path(lock), service, tool, "--require-hashes")
        except Broken as error:
            print(f"{lock}: pip-audit failed:\n{error}", file=sys.stderr)
            return 1
        except Unreachable:
            if alive(Path(lock), service, tool):
                print(f"{lock}: the advisory service ({service}) broke off: run it again", file=sys.stderr)
                return 1
            continue
        if any("skip_reason" not in one for one in packages):
            return told(lock, packages)
    required = os.environ.get("HPTUNE_AUDIT") == "required"
    words = f"{lock}: NOT AUDITED: no advisory service answers here, so nothing is known of its packages"
    print(words, file=sys.stderr if required else sys.stdout)
    if os.environ.get("GITHUB_ACTIONS"):
        print(f"::warning title=make audit::{words}")
    return int(required)


def told(lock: str, packages: list[dict[str, Any]]) -> int:
    """Say what a service that answers knows of a lock's packages; return 1 if it is anything, or too little."""
    weak = [one for one in packages if one.get("vulns")]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    for one in weak:
        names = ", ".join(f"{v['id']} (mended in {', '.join(v['fix_versions']) or 'none yet'})" for v in one["vulns"])
        print(f"{lock}: {one['name']} {one['version']}: {names}", file=sys.stderr)
    if skipped:
        print(f"{lock}: not audited: {', '.join(skipped)}", file=sys.stderr)
    audited = len(packages) - len(skipped)
    print(f"{lock}: {audited} of {len(packages)} packages audited, {len(weak)} with known weaknesses")
    return int(bool(weak or skipped))


if __name__ == "__main__":
    sys.exit(max(main(lock) for lock in sys.argv[1:]))
