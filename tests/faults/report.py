# ruff: noqa: E501 - a table: a row a line
"""`python -m tests.faults.report`: the measured table of docs/reliability.md, from what the fault tests wrote down.

Without figures (`.faults/`) for a row it says so; `--print` shows the table and writes nothing.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from hptune.oracles import ORACLES
from tests.faults.measure import Figures, collected

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

RESUMED = (
    "slowest median of 1, 2, 4 workers {max_median:.1f} s, slowest of {resumes:.0f} {max_seconds:.1f} s (other programs took up "
    "to {max_busy:.0%} of the machine)"
)
# The row, the fault, what was measured on the peers, and the words for our figures.
ROWS: list[tuple[str, str, str, str]] = [
    (
        "kill",
        f"SIGKILL of coordinator, group or worker (with `retries`) at random moments, the start included; {len(ORACLES)} oracles; 1, 2, 4 workers in turn",
        "state unreadable: KerasTuner 53 of 100, hyperopt 11 of 50; RUNNING left: Optuna 28 of 50; finished lost: Optuna 8",
        "{kills:.0f} kills of {studies:.0f} studies: {unreadable:.0f} unreadable, {zombies:.0f} processes left after 2 s (gone in "
        "{max_gone_seconds:.2f} s), {lost:.0f} results lost, {again:.0f} finished evaluations run again, {different:.0f} studies "
        "differ from the uninterrupted one",
    ),
    (
        "resume-function",
        "from the command to a killed study's next record (interpreter and imports included), a Python function",
        "Optuna's journal: up to 31 s; others 0.2-9 s without the interpreter's start",
        RESUMED,
    ),
    ("resume-sklearn", "the same, a model of scikit-learn", "-", RESUMED + "; importing scikit-learn's linear models alone took {max_import:.1f} s just before, beyond that at most {max_beyond:.1f} s (median)"),
    ("every-write", f"SIGKILL before, in and after every write and fsync; {len(ORACLES)} oracles", "not tested", "{points:.0f} points, {different:.0f} differ"),
    ("prefix", f"power loss: every prefix of the journal; {len(ORACLES)} oracles", "Optuna's journal: 56 of 56 silently short", "{prefixes:.0f} prefixes, {different:.0f} differ"),
    (
        "hostile",
        "32 hostile objectives (crashes, hangs, wrong types, leftovers)",
        "of 27 survived: Optuna 15-16, KerasTuner 14, scikit-learn 17, hyperopt 18",
        "{ended_well:.0f} of {objectives:.0f} with the exact outcome; {innocents_lost:.0f} of {innocents:.0f} others lost; "
        "{orphans:.0f} orphans (gone in {max_gone_seconds:.2f} s); largest log {max_log:.0f} bytes",
    ),
    ("crash-loop", "configurations that always crash", "KerasTuner: no progress in 8 restarts", "{crashing:.0f} of them, {max_attempts:.0f} attempt each, the study ends"),
    ("hang", "a hung trial with a time limit", "none has one", "{ended:.0f} of {hung:.0f} ended, {others_lost:.0f} others lost"),
    (
        "signals",
        "Ctrl-C, SIGTERM with two workers, one hung",
        "Optuna never ends; scikit-learn saves nothing and leaves 4 orphans",
        "exit within {max_seconds:.1f} s (5 s of grace), {lost:.0f} lost, {orphans:.0f} orphans, at most {max_lines:.0f} line",
    ),
    (
        "hangup",
        "the terminal is closed (SIGHUP, and writing to it fails)",
        "-",
        "exit after {max_seconds:.1f} s, {lost:.0f} lost, {orphans:.0f} orphans, result.json written",
    ),
    ("second-signal", "a second signal", "-", "exit within {max_seconds:.1f} s, {orphans:.0f} orphans"),
    (
        "full",
        "disk full at any write, then freed",
        "usable again: KerasTuner, hyperopt, Optuna's journal 0 of 20; RDB 20 with 15 results lost",
        "{usable:.0f} of {points:.0f} usable, {lost:.0f} lost",
    ),
    ("read-only", "read-only directory", "tracebacks of 16-102 lines", "{max_lines:.0f} line, {trials_run:.0f} trials run"),
    ("removed", "directory removed while running", "-", "one line, exit 6, after {max_seconds:.1f} s"),
    ("fsync", "fsync fails (EIO from the kernel)", "-", "fatal, {retried:.0f} retries, {lost:.0f} lost"),
    (
        "two",
        "two processes on one study",
        "Optuna: overshoot 15 of 15; KerasTuner: 210 of 564 evaluations lost",
        "{refused:.0f} of {runs:.0f} refused (the lock says no in {max_refused_ms:.1f} ms), {extra:.0f} evaluations too many",
    ),
    ("result-read", "result.json read while it is written", "486 of 999 broken when rewritten in place", "{broken:.0f} of {reads:.0f} broken ({versions:.0f} versions seen)"),
    (
        "bits",
        "every single bit of a journal flipped",
        "silently wrong of 200: hyperopt 24, Optuna 2-4, KerasTuner 2",
        "{bits:.0f} bits: {silent:.0f} silent, {refused:.0f} refused, {cut_with_a_note:.0f} last record cut with a note, "
        "{harmless:.0f} harmless",
    ),
    ("lines", "lines swapped, repeated, lost, foreign", "-", "{lines:.0f} journals, {silent:.0f} silently wrong"),
    ("repair", "`hptune repair` after damage", "-", "{damages:.0f} journals, {kept:.0f} of {records:.0f} records kept, {different:.0f} studies end differently"),
    ("formats", "journals of every format there was", "-", "{read:.0f} of {formats:.0f} read and continued"),
    (
        "seed",
        f"same seed, workers slowed at random, 2 and 4 of them; {len(ORACLES)} oracles",
        "Optuna 0 of 30 with two jobs",
        "{studies:.0f} studies, {different:.0f} differ",
    ),
    ("resume", "stopped after each k of 12 trials, resumed", "Optuna, hyperopt repeat 15 of 30; KerasTuner's GP differs", "{stops:.0f} stops, {different:.0f} differ"),
    ("machine", "any order of ask, tell, fail, die, reopen, intrude", "-", "{studies:.0f} studies, {steps:.0f} steps, {deaths:.0f} deaths: {violations:.0f} violations"),
    ("hostile-yaml", "hostile YAML files", "safe_load hangs on 482 bytes", "{texts:.0f} files, slowest {max_ms:.0f} ms, at most {max_mib:.0f} MiB, {escaped:.0f} other exceptions"),
    ("mutants", "mutants of each sample config", "-", "{texts:.0f} ({loaded:.0f} still load), slowest {max_ms:.0f} ms, at most {max_mib:.0f} MiB, {escaped:.0f} other exceptions"),
    ("spaces", "hostile spaces", "KerasTuner completes x=nan; Optuna leaves its bounds", "{refused:.0f} of {spaces:.0f} refused with a line"),
    ("forged", "forged journals (right checksums), results and model cards", "-", "{journals:.0f} journals, {results:.0f} results, {cards:.0f} cards: {tracebacks:.0f} tracebacks"),
    ("fuzz", "fuzzing of loader, expressions, journal reader", "-", "{examples:.0f} examples, {escaped:.0f} other exceptions"),
    ("tables", "hostile tables", "-", "{tables:.0f}, {tracebacks:.0f} tracebacks"),
    ("audit", "opening a stranger's study (audit hook)", "code runs in 3 of 3: Optuna, hyperopt, KerasTuner", "{verbs:.0f} reading commands, {violations:.0f} imports, unpickles, executions or writes"),
    ("links", "links out of the run directory", "KerasTuner deletes outside its directory", "{links:.0f} links, {escaped:.0f} followed"),
    ("shell", "a value that is shell code", "-", "{values:.0f} ways, {escaped:.0f} executed"),
    (
        "soak",
        "trials of a no-op objective",
        "2-5 KB a trial",
        "{trials:.0f}: {bytes_a_trial:.0f} bytes a trial (in the second half {bytes_growth:.2f} of the first), processor time at the end {ratio:.2f} of that at the start "
        "({cpu_us:.0f} µs), opening {opening_us_a_record:.1f} µs a record",
    ),
]  # fmt: skip
LONG = {"kill-long": "kill", "hostile-long": "hostile", "mutants-long": "mutants", "soak-long": "soak"}


def words_for(ours: str, figures: Figures | None) -> str:
    try:
        return ours.format(**figures) if figures else "not measured"
    except KeyError as missing:
        return f"measured in part only ({missing} is missing)"


def table(rows: dict[str, Figures]) -> str:
    words = {name: (fault, peers, ours) for name, fault, peers, ours in ROWS}
    lines = ["| fault | others | hptune |", "|---|---|---|"]
    for name, (fault, peers, ours) in words.items():
        told = words_for(ours, rows.get(name))
        lines.append(f"| {fault} | {peers} | {told} |")
        for long, short in LONG.items():
            if short == name and long in rows:
                lines.append(f"| the same, `make faults-long` | | {words_for(ours, rows[long])} |")
    return "\n".join(lines)


def main() -> None:
    rows = collected()
    text = table(rows)
    if "--print" in sys.argv:
        print(text)
        return
    page = PAGE.read_text()
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    where = f"Python {platform.python_version()}, {platform.system()} on {platform.machine()}."
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n\n{where}\n{END}{tail}")
    print(f"{PAGE.name}: {sum(name in rows for name, *_ in ROWS)} of {len(ROWS)} rows measured")


if __name__ == "__main__":
    main()
