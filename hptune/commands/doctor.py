"""`hptune doctor`: what of this machine hptune needs, and what it finds; each line with its mend."""

from __future__ import annotations

import contextlib
import locale
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from hptune import __version__
from hptune.commands._failing import mutter
from hptune.commands._shared import say, say_json, stdout_coloured, stdout_width
from hptune.errors import HptuneError
from hptune.report.layout import paint
from hptune.report.wording import count

Level = Literal["ok", "warn", "fail"]
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_GIB = 2**30
LITTLE_MEMORY = 1 * _GIB
LITTLE_DISK = 100 * 2**20
SLOW_START = 15.0
EXTRAS = {"figures": ("matplotlib", "hptune report"), "parquet": ("pyarrow", "data in Parquet files")}
FRIENDS = ("xgboost", "lightgbm", "catboost", "imbalanced-learn")


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, how it is, what was found, and the mend where there is need of one."""

    name: str
    level: Level
    found: str
    mend: str = ""


def doctor(*, as_json: bool = False) -> int:
    """Print what was found; return 0, or 1 if something hptune cannot do without is missing."""
    mutter("looking at this machine, and starting a worker ...")
    checks = list(examine())
    failed = sum(check.level == "fail" for check in checks)
    if as_json:
        say_json({"schema_version": 1, "ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        say(_lines(checks))
    return 1 if failed else 0


def _lines(checks: list[Check]) -> list[str]:
    on, width = stdout_coloured(), stdout_width()
    room = max(len(check.name) for check in checks)
    out = []
    for check in checks:
        text = f"{check.name:<{room}}  {check.found}"
        out.append(f"{paint(f'{check.level:<4}', _COLOURS[check.level], on)}  {text[: width - 6] if width else text}")
        if check.mend:
            out.append(f"{'':<{room + 8}}{check.mend}")
    counts = {level: sum(check.level == level for check in checks) for level in _COLOURS}
    return [*out, "", ", ".join(f"{number} {level}" for level, number in counts.items() if number)]


def examine() -> Iterator[Check]:
    """Yield what there is to say, the cheap first."""
    yield _python()
    yield _system()
    yield _cores()
    yield _memory()
    yield from _dependencies()
    yield from _extras()
    yield _threads()
    for name, place in (("temporary folder", Path(tempfile.gettempdir())), ("working directory", Path.cwd())):
        yield _folder(name, place)
    yield _lock(Path.cwd())
    yield _encoding()
    yield _child()


def _python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}"
    # Older ones do not get here (pip refuses them, and so does the syntax); pre-releases do.
    if sys.version_info.releaselevel != "final":
        return Check("python", "warn", found, "a pre-release: numpy and scikit-learn may have no wheels for it")
    return Check("python", "ok", found)


def _system() -> Check:
    found = platform.platform(terse=True)
    if sys.platform not in ("linux", "darwin"):
        return Check(
            "platform", "fail", found, "hptune runs on Linux and macOS; on Windows use WSL: https://aka.ms/wsl"
        )
    return Check("platform", "ok", found)


def _cores() -> Check:
    from hptune.threads import usable_cores

    usable, every = usable_cores(), os.cpu_count() or 1
    limit = _cgroup_cores()
    found = f"{usable} of {every} usable"
    if limit is not None and limit < usable:
        mend = f"`executor: {{workers: auto}}` would take {usable}; write `workers: {max(1, int(limit))}`"
        return Check("cores", "warn", f"{found}, but this container may use {limit:g}", mend)
    return Check("cores", "ok", found)


def _cgroup_cores() -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            return int(quota) / int(period)
    return None


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    free, total = memory.available, memory.total
    with contextlib.suppress(OSError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())  # "max" without a limit: a ValueError
        free, total = min(free, limit), min(total, limit)
    found = f"{free / _GIB:.1f} GiB free of {total / _GIB:.1f} GiB"
    if free < LITTLE_MEMORY:
        mend = "each worker takes about 0.2 GiB and the data: fewer `workers`, or `budget: {trial_memory: ...}`"
        return Check("memory", "warn", found, mend)
    return Check("memory", "ok", found)


# -- packages -------------------------------------------------------------------------------------------------------


def _dependencies() -> Iterator[Check]:
    yield Check("hptune", "ok", f"{__version__} at {Path(__file__).resolve().parent.parent}")
    try:
        required = metadata.requires("hptune") or []
    except metadata.PackageNotFoundError:
        mend = "python -m pip install hptune"
        yield Check("installation", "warn", "hptune runs from its source, its requirements are not known", mend)
        return
    for line in required:
        if "extra ==" not in line:
            yield requirement(line)


def requirement(line: str) -> Check:
    """Return what is to be said of a requirement such as `numpy>=1.26`."""
    match = re.match(r"([A-Za-z0-9._-]+)\s*(.*?)\s*(;.*)?$", line)
    assert match is not None
    name, wanted = match[1], match[2]
    version = _version(name)
    needs = f"(needs {wanted})" if wanted else ""
    mend = f'python -m pip install "{name}{wanted}"'
    if version is None:
        return Check(name, "fail", f"not installed {needs}".rstrip(), mend)
    least = re.search(r">=\s*([0-9.]+)", wanted)
    if least is not None and _numbers(version) < _numbers(least[1]):
        return Check(name, "fail", f"{version} is too old {needs}".rstrip(), mend)
    return Check(name, "ok", f"{version} {needs}".rstrip())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version's leading numbers, zeros at the end left out: 1.26.0rc1 -> (1, 26)."""
    found = [int(part) for part in re.match(r"[0-9.]*", version)[0].split(".") if part]  # type: ignore[index]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def _extras() -> Iterator[Check]:
    for extra, (package, use) in EXTRAS.items():
        version = _version(package)
        if version is None:
            mend = f'for {use}: python -m pip install "hptune[{extra}]"'
            yield Check(f"extra {extra}", "ok", f"{package} is not installed", mend)
        else:
            yield Check(f"extra {extra}", "ok", f"{package} {version}")
    found = [f"{name} {version}" for name in FRIENDS if (version := _version(name)) is not None]
    yield Check("estimators", "ok", ", ".join(["scikit-learn", *found]))


def _threads() -> Check:
    """Look at the BLAS and OpenMP pools that numpy and scikit-learn bring."""
    try:
        import numpy  # noqa: F401 - loading it is the point
        import sklearn.linear_model  # noqa: F401
        import threadpoolctl
    except Exception as error:  # a broken installation may raise anything
        mend = "python -m pip install --force-reinstall numpy scipy scikit-learn threadpoolctl"
        return Check("thread pools", "fail", f"cannot be loaded: {type(error).__name__}: {error}", mend)
    pools = []
    for pool in threadpoolctl.threadpool_info():
        threads = count(int(pool.get("num_threads") or 1), "thread")
        pools.append(" ".join(filter(None, (pool.get("internal_api"), pool.get("version"), f"({threads})"))))
    return Check("thread pools", "ok", ", ".join(pools) or "none found")


# -- disk -----------------------------------------------------------------------------------------------------------


def _folder(name: str, place: Path) -> Check:
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".hptune-doctor-") as file:
            file.write(b"hptune")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(place).free
    except OSError as error:
        level: Level = "fail" if name.startswith("temp") else "warn"
        mend = "set TMPDIR to a folder that can be written" if level == "fail" else "name another with --dir"
        return Check(name, level, f"{place} cannot be written: {error.strerror}", mend)
    found = f"{place} can be written, {free / _GIB:.1f} GiB free"
    if free < LITTLE_DISK:
        return Check(
            name, "warn", found, "free some space: a journal takes about 1 kB a trial, a model what it takes"
        )
    return Check(name, "ok", found)


def _lock(place: Path) -> Check:
    """Try whether the file system keeps two runs out of one directory."""
    import fcntl

    try:
        with (
            tempfile.NamedTemporaryFile(dir=place, prefix=".hptune-doctor-") as first,
            Path(first.name).open("rb") as second,
        ):
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Check("file locks", "ok", "kept by the working directory's file system")
    except OSError as error:
        mend = "put run directories on a local disk: --dir"
        return Check("file locks", "warn", f"cannot be tried here: {error.strerror}", mend)
    mend = "put run directories on a local disk (--dir): here two runs could write one journal"
    return Check("file locks", "warn", "NOT kept by the working directory's file system", mend)


def _encoding() -> Check:
    names = {
        "files": locale.getpreferredencoding(False),
        "names": sys.getfilesystemencoding(),
        "stdout": getattr(sys.stdout, "encoding", None) or "none",
    }
    found = ", ".join(f"{what} {name}" for what, name in names.items())
    if any(name.lower().replace("-", "").replace("_", "") != "utf8" for name in names.values()):
        return Check(
            "encoding", "warn", found, "set LC_ALL=C.UTF-8 (or PYTHONUTF8=1): other letters are shown escaped"
        )
    return Check("encoding", "ok", found)


# -- a worker -------------------------------------------------------------------------------------------------------


def _child(clock: Callable[[], float] = time.monotonic) -> Check:
    """Start a worker as a run does, and have it fit a small model."""
    from hptune.job import Job, Setup
    from hptune.slot import Slot

    setup = Setup(
        model={"class": "sklearn.linear_model.Ridge"},
        data={"synthetic": {"kind": "sparse_linear", "n": 20, "d": 2, "informative": 1}},
        evaluate={"cv": 2},
        space={"parameters": []},
        seed=0,
        folder=tempfile.gettempdir(),
    )
    slot = Slot(setup, name="doctor", load_seconds=60.0)
    began = clock()
    try:
        outcome = slot.run(Job(folds=(0,), deadline=60.0))
        seconds = clock() - began
    except HptuneError as error:
        return Check(
            "worker process", "fail", str(error), "the lines above say why; `executor: {type: serial}` does without"
        )
    finally:
        slot.close(kill=True)
    if outcome.failure is not None:
        found = f"a small fit failed ({outcome.failure.kind}): {outcome.failure.message}"
        return Check("worker process", "fail", found, "python -m pip install --force-reinstall hptune")
    found = f"started, fitted a model and answered in {seconds:.1f} s"
    if seconds > SLOW_START:
        return Check("worker process", "warn", found, "slow: is the disk a network's, or the machine busy?")
    return Check("worker process", "ok", found)
