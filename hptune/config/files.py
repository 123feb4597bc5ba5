"""Config files on the disk: their bytes, or in people's words why there are none."""

from __future__ import annotations

from pathlib import Path

from hptune.config.yaml_events import MOST_BYTES
from hptune.errors import did_you_mean

SUFFIXES = (".yaml", ".yml")


class Unreadable(Exception):
    """A file that cannot be had; the text says why, and what there is instead."""


def contents(path: Path) -> bytes:
    """Return the file's bytes; one more than a config may have is enough to know that it is too long."""
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise Unreadable(f"there is no such file{_nearby(path)}") from None
    except IsADirectoryError:
        inside = sorted(one.name for one in path.iterdir() if one.suffix in SUFFIXES)
        mend = f"; it holds {', '.join(inside[:5])}" if inside else ""
        raise Unreadable(f"expected a config file, found a folder{mend}") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _nearby(path: Path) -> str:
    try:
        names = [one.name for one in path.parent.iterdir() if one.suffix in SUFFIXES]
    except OSError:
        return f"; there is no folder {path.parent}"
    return did_you_mean(path.name, names) or (f"; the folder holds {', '.join(sorted(names)[:5])}" if names else "")
