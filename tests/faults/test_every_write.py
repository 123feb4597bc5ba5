"""Death at every write and every fsync of the journal, power loss as every prefix, and every flipped bit."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from hptune import journal as jn
from hptune.errors import JournalDamaged
from hptune.oracles import ORACLES
from hptune.replay import replay
from tests.faults.measure import measured
from tests.memory.test_journal import run

pytestmark = pytest.mark.faults
TRIALS = 5


def die_at(folder: Path, oracle: str, point: int, how: str) -> bool:
    """Run the study in a fork that SIGKILLs itself at a write or fsync; whether it came that far.

    `how` is "before", "half" (part of the record is written) or "after".
    """
    pid = os.fork()
    if pid == 0:
        count = 0
        write, fsync = os.write, os.fsync

        def here() -> bool:
            nonlocal count
            count += 1
            return count == point + 1

        def fatal_write(descriptor: int, data: bytes) -> int:
            if not data.startswith(b'{"crc"'):
                return write(descriptor, data)
            now = here()
            if now and how != "after":
                write(descriptor, data[: len(data) // 2] if how == "half" else b"")
                os.kill(os.getpid(), signal.SIGKILL)
            done = write(descriptor, data)
            if now:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        def fatal_fsync(descriptor: int) -> None:
            now = here()
            if now and how != "after":
                os.kill(os.getpid(), signal.SIGKILL)
            fsync(descriptor)
            if now:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            os.write, os.fsync = fatal_write, fatal_fsync  # type: ignore[assignment]
            run(folder, TRIALS, oracle)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_death_at_every_write_and_fsync_changes_nothing(memory: Path, oracle: str) -> None:
    """Of the slower oracles every third point, another third before, in and after the write."""
    step = 1 if oracle in ("random", "grid") else 3
    whole = run(memory / "whole", TRIALS, oracle)
    points = 0
    for first, how in enumerate(("before", "half", "after")):
        for point in range(first % step, 10_000, step):
            folder = memory / f"{how}-{point}"
            if not die_at(folder, oracle, point, how):
                break
            points += 1
            assert run(folder, TRIALS, oracle) == whole, (how, point)
    measured("every-write", oracle, points=points, different=0)
    assert points > 60 // step


@pytest.mark.parametrize("oracle", sorted(ORACLES))
def test_every_prefix_of_the_journal_resumes_to_the_uninterrupted_study(memory: Path, oracle: str) -> None:
    """Power loss: any number of the last bytes is gone. Of the slower oracles every 11th prefix."""
    step = 1 if oracle == "random" else 11
    whole = run(memory / "whole", TRIALS, oracle)
    data = (memory / "whole" / jn.NAME).read_bytes()
    prefixes = [*range(0, data.index(b"\n") + 1, 97), *range(data.index(b"\n") + 1, len(data) + 1, step)]
    folder = memory / "cut"
    folder.mkdir()
    for cut in prefixes:
        (folder / jn.NAME).write_bytes(data[:cut])
        assert run(folder, TRIALS, oracle) == whole, cut
    measured("prefix", oracle, prefixes=len(prefixes), different=0)


def fate(data: bytes, good: tuple[Any, ...], path: Path) -> str:
    """What a reader makes of a journal that is not as it was written."""
    try:
        found = jn.scan(data, path)
    except JournalDamaged as error:
        words = str(error)
        return "refused" if f"{path}:" in words and ("byte" in words or "newer hptune" in words) else "badly said"
    if found.torn:
        assert found.events == good[: len(found.events)]
        return "cut with a note"
    return "harmless" if found.events == good else "silent"


def test_no_flipped_bit_is_silent(memory: Path) -> None:
    run(memory, TRIALS)
    path = memory / jn.NAME
    data = path.read_bytes()
    good = jn.scan(data, path).events
    fates = dict.fromkeys(("refused", "cut with a note", "harmless", "silent", "badly said"), 0)
    for byte in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[byte] ^= 1 << bit
            fates[fate(bytes(flipped), good, path)] += 1
    measured("bits", "all", **{name.replace(" ", "_"): n for name, n in fates.items()}, bits=8 * len(data))
    assert fates["silent"] == fates["badly said"] == 0


def test_swapped_repeated_missing_and_foreign_lines_are_refused_or_harmless(memory: Path) -> None:
    run(memory / "a", TRIALS)
    run(memory / "b", TRIALS + 1)
    path = memory / "a" / jn.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    good = jn.scan(b"".join(lines), path).events
    foreign = (memory / "b" / jn.NAME).read_bytes().splitlines(keepends=True)
    count = 0
    for i in range(len(lines)):
        for j in range(len(lines)):
            swapped = lines.copy()
            swapped[i], swapped[j] = swapped[j], swapped[i]
            repeated = [*lines[:i], lines[j], *lines[i:]]
            for broken in (swapped, repeated, [*lines, foreign[j], *lines[i:]]):
                count += 1
                assert fate(b"".join(broken), good, path) in ("refused", "harmless")
        if i < len(lines) - 1:
            assert fate(b"".join(lines[:i] + lines[i + 1 :]), good, path) == "refused"
    measured("lines", "all", lines=count, silent=0)


def test_a_repair_keeps_what_is_sound_and_the_study_ends_as_without_damage(memory: Path) -> None:
    """One flipped bit at random, lines swapped, lines lost: `hptune repair`, then the same study again."""
    from hptune.repair import KEPT, repair

    whole = run(memory / "whole", TRIALS)
    data = (memory / "whole" / jn.NAME).read_bytes()
    start = data.index(b"\n") + 1
    rng = random.Random(0)
    damages = []
    for _ in range(200):
        broken = bytearray(data)
        broken[rng.randrange(start, len(data))] ^= 1 << rng.randrange(8)
        damages.append(bytes(broken))
    lines = data.splitlines(keepends=True)
    for _ in range(50):
        order = lines[1:]
        rng.shuffle(order)
        damages.append(b"".join([lines[0], *order]))
        damages.append(b"".join([lines[0], *sorted(rng.sample(lines[1:], len(lines) - 4), key=lines.index)]))
    kept = 0
    for number, broken in enumerate(damages):
        folder = memory / f"damage-{number}"
        folder.mkdir()
        (folder / jn.NAME).write_bytes(broken)
        found = repair(folder)
        kept += len(found.events)
        if found.kept_as is not None:
            assert found.kept_as.name == KEPT
            assert found.kept_as.read_bytes() == broken
        again = repair(folder)
        assert again.kept_as is None
        assert again.events == found.events
        replay(jn.read(folder).events)
        assert run(folder, TRIALS) == whole, number
    measured("repair", "all", damages=len(damages), records=len(damages) * len(lines), kept=kept, different=0)
