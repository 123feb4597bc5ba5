"""Salvage of a damaged journal: keep what is sound and can follow, so that the rest is only run again.

A record is sound if its checksum is right. Sound records are put back in order, each once, and taken in one after the
other; one that can no longer follow (a fold of a trial whose start was lost) is left out. What was lost runs again when
the study is continued, with the same seed and the same folds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from hptune.errors import JournalDamaged
from hptune.events import (
    FORMAT,
    RECALLED,
    Event,
    HoldoutScored,
    StudyStarted,
    TrialStarted,
    TrialStopped,
    WinnerChosen,
    event_from_json,
)
from hptune.history import History
from hptune.journal import NAME, checked, format_of, locked, put_in_place, read_bytes

KEPT = "journal.damaged"

AROUND = b" \t\r"
"""What editors and `git` (core.autocrlf) put around a line; no record of ours begins or ends so."""


@dataclass(frozen=True)
class Salvage:
    """What a repair found: the records kept, those left out as (line, byte, why), and where the old bytes are now.

    `kept_as` is None if the journal was sound and nothing was changed.
    """

    events: tuple[Event, ...]
    left_out: tuple[tuple[int, int, str], ...]
    kept_as: Path | None


def repair(folder: Path) -> Salvage:
    """Mend the journal of a run directory; its old bytes are kept beside it under the name `journal.damaged`.

    Raises FileNotFoundError without a journal, `StudyLocked` while a run uses it, `DirectoryUnusable`, and
    `JournalDamaged` if the study's start, the first record, is lost: then nothing can be kept.
    """
    path = folder / NAME
    data = read_bytes(path)
    with locked(folder):
        data = read_bytes(path)  # a run may have ended meanwhile
        events, left_out, in_order = salvage(data, path)
        if not left_out and in_order:
            return Salvage(events, (), None)
        return Salvage(events, left_out, put_in_place(folder, events, KEPT))


def salvage(data: bytes, path: Path) -> tuple[tuple[Event, ...], tuple[tuple[int, int, str], ...], bool]:
    """Return the events to keep, the lines left out as (line, byte, why), and whether the kept ones stood in order."""
    sound, left_out, format = _sound(data)
    started = sound.get(0, (0, 0, None))[2]
    if not isinstance(started, StudyStarted):
        raise JournalDamaged(
            f"{path}:1: the study's start is damaged, and without it the rest means nothing. Nothing was changed. "
            f"Restore the file from a copy, or start over in another folder."
        )
    try:
        history = History(started)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise JournalDamaged(f"{path}:1: the study's start makes no sense: {error}. Nothing was changed.") from None
    events: list[Event] = [started]
    lines = [(sound[0][0], 0)]
    order = sorted(seq for seq in sound if seq >= 0)
    lost = bool(left_out) or _gap(order, -1, order[-1])
    scored = {event.trial for _, _, event in sound.values() if isinstance(event, HoldoutScored)}
    begun: dict[int, int] = {}
    again = {event.trial for _, _, event in sound.values() if isinstance(event, TrialStarted) and event.attempt > 1}
    for seq in order[1:]:
        number, at, event = sound[seq]
        try:
            if lost and isinstance(event, WinnerChosen):
                _check_finals(history, event)
            if lost and isinstance(event, HoldoutScored):
                _check_winner(history, event, scored)
            if (
                isinstance(event, TrialStopped)
                and event.trial not in again
                and _gap(order, begun.get(event.trial, 0), seq)
            ):
                raise ValueError("folds that it was given up for may be lost: it is judged again, on what is left")
            if isinstance(event, TrialStarted):
                gap = _gap(order, begun.get(event.trial, seq), seq)
                # In journals of before only what was raced out was begun again between a session's end and the next.
                recalled = event.note == RECALLED or history.told_end is not None
                if gap and recalled and _runs(history, event.trial):  # the record of its stop is lost
                    stop = TrialStopped(time=event.time, trial=event.trial, reason="raced out")
                    history.apply(stop)
                    events.append(stop)
                    lines.append((number, -1))
                begun[event.trial] = seq
            history.apply(event)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            left_out.append((number, at, f"cannot follow: {error}"))
            continue
        events.append(event)
        lines.append((number, seq))
    if lost and history.holdout_uses == 1 and 0 not in history.holdout and history.trials[0].failure is None:
        # The winner is scored beside the defaults, whose score is lost: both are scored again.
        kept = [(one, line) for one, line in zip(events, lines, strict=True) if not isinstance(one, HoldoutScored)]
        events, lines = [one for one, _ in kept], [line for _, line in kept]
    in_order = lines == [(i + 1, i) for i in range(len(lines))] and format == FORMAT and _plain(data, len(lines))
    return tuple(events), tuple(sorted(left_out)), in_order


def _sound(data: bytes) -> tuple[dict[int, tuple[int, int, Event]], list[tuple[int, int, str]], int]:
    """Return the sound records by number as (line, byte, event), the lines left out, and the journal's format."""
    left_out: list[tuple[int, int, str]] = []
    sound: dict[int, tuple[int, int, Event]] = {}
    byte = 0
    format = FORMAT
    for number, line in enumerate(data.split(b"\n"), 1):
        if record := line.strip(AROUND):
            try:
                found = checked(record)
                seq = found.pop("seq", None)
                if not isinstance(seq, int):
                    raise ValueError("it has no number")
                if seq == 0:
                    format = format_of(found)
                if seq not in sound:
                    sound[seq] = number, byte, event_from_json(found, format)
                else:
                    left_out.append((number, byte, f"a second record {seq}"))
            except ValueError as error:
                left_out.append((number, byte, str(error).splitlines()[0]))
        byte += len(line) + 1
    return sound, left_out, format


def _plain(data: bytes, records: int) -> bool:
    """Return whether the bytes are so many lines and nothing around or between them, as `journal.scan` wants it."""
    *lines, rest = data.split(b"\n")
    return not rest and len(lines) == records and all(line == line.strip(AROUND) for line in lines)


def _gap(order: Sequence[int], after: int, before: int) -> bool:
    """Return whether any record between two numbers is missing from the sorted ones that are there."""
    return bisect_left(order, before) - bisect_right(order, after) < before - after - 1


def _runs(history: History, trial: int) -> bool:
    return 0 <= trial < len(history.trials) and history.trials[trial].status == "running"


def _check_winner(history: History, event: HoldoutScored, scored: Set[int]) -> None:
    """Raise ValueError for the score of a winner whose choice is lost: chosen again, it is scored again, and counted."""
    best = None if history.best is None else history.best.number
    if best != event.trial and event.trial != 0:
        raise ValueError("it is scored again once it is chosen again")
    if best == 0 and scored - {0}:  # the defaults' beside those of a winner that is lost, not as the winner's
        raise ValueError("it is scored again with that of the winner")


def _check_finals(history: History, event: WinnerChosen) -> None:
    """Raise ValueError where folds of the winner or the baseline are gone: the finals are held again for them."""
    for trial in {event.trial, *event.finalists[:1]}:
        there = sum(one.fold < event.folds for one in history.finals.get(trial, ()))
        if there < event.folds:
            raise ValueError(f"the finals of trial {trial} have {there} of {event.folds} folds left")
