"""`python -m tests.audit LOCK`: known weaknesses of what a lock file installs, by pip-audit.

Exits with 1 if there is one. Where no advisory service answers, pip-audit passes over every package and still exits with
0; that is said here in so many words and is no failure, since it says nothing about the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[1] / ".audit" / "bin" / "pip-audit"
UNREACHABLE = ("ConnectionError", "ServiceError", "timed out", "Max retries", "Temporary failure", "ProxyError")


def main(lock: str) -> int:
    command = [str(TOOL), "-f", "json", "--progress-spinner", "off", "--disable-pip", "--require-hashes", "-r", lock]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(word in done.stderr for word in UNREACHABLE):
            print(f"{lock}: NOT AUDITED: no advisory service answers here")
            return 0
        print(f"{lock}: pip-audit failed:\n{done.stderr}", file=sys.stderr)
        return 1
    weak = [one for one in packages if one.get("vulns")]
    audited = [one for one in packages if "skip_reason" not in one]
    for one in weak:
        names = ", ".join(f"{v['id']} (mended in {', '.join(v['fix_versions']) or 'none yet'})" for v in one["vulns"])
        print(f"{lock}: {one['name']} {one['version']}: {names}", file=sys.stderr)
    if not audited:
        print(f"{lock}: NOT AUDITED: no advisory service knows any of its {len(packages)} packages from here")
    else:
        print(f"{lock}: {len(audited)} of {len(packages)} packages audited, {len(weak)} with known weaknesses")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(max(main(lock) for lock in sys.argv[1:]))
