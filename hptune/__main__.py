"""The console script, and `python -m hptune`: the command line, and ahead of it the first worker of a run."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from hptune.commands._streams import open_missing
from hptune.threads import limit_this_process


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        open_missing()
        limit_this_process()
        if sys.argv[1:2] == ["run"] and os.name != "nt":
            from hptune.commands._ahead import first_worker_for
            from hptune.early import ahead

            with ahead(first_worker_for(sys.argv[1:])):
                _command_line()
        _command_line()
    except KeyboardInterrupt:  # Ctrl-C before the command line handles it
        print("interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)


def _command_line() -> NoReturn:
    from hptune.cli import main

    main()


if __name__ == "__main__":
    main()
