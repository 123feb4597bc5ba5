"""Draws `docs/figures/terminal.svg`: the README's first config, really run. `python docs/make_terminal.py`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 84


def main() -> None:
    """Run the config and write the picture."""
    (config,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "svr.yaml").write_text(config)
        done = subprocess.run(
            [sys.executable, "-m", "hptune", "run", "svr.yaml"],
            cwd=folder,
            env={**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color", "CI": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(f"\x1b[1m$ hptune run svr.yaml\x1b[0m\n{done.stdout.rstrip()}"))
    console.print(Text(f"$ echo $?\n{done.returncode}", style="bold"))
    svg = console.export_svg(title="hptune", theme=MONOKAI, unique_id="hptune")
    # No fonts from the network: the picture is looked at offline too.
    svg = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL).replace(
        "Fira Code, monospace", "monospace"
    )
    (ROOT / "docs" / "figures" / "terminal.svg").write_text(svg)


if __name__ == "__main__":
    main()
