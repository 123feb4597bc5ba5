"""trials.csv: one line a trial, nothing rounded and nothing that depends on the clock.

A killed and resumed study writes the same file as an uninterrupted one, so seconds and attempts are not in it (they
are in `hptune trials --format json`). Scores carry the metric's own sign. An inactive parameter is empty; null,
true and lists are spelled as in JSON.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from hptune.history import History
from hptune.report import wording
from hptune.report.tables import finite
from hptune.trial import Trial


def trials_csv(history: History, trials: Sequence[Trial] | None = None) -> str:
    """Return the trials (default: all, by number) as CSV with a header line."""
    # How many folds of a failed trial were measured before one failed is a matter of timing.
    listed = [
        trial if trial.failure is None else trial.changed(measurements=())
        for trial in (history.trials if trials is None else trials)
    ]
    folds = max([history.started.folds, *(m.fold + 1 for t in listed for m in t.measurements)])
    metrics = list(dict.fromkeys(name for t in listed for m in t.measurements for name in m.metrics))
    with_train = any(m.train_score is not None for t in listed for m in t.measurements)
    with_fidelity = any(t.fidelity is not None for t in listed)
    names = [parameter.name for parameter in history.space]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            *("trial", "status", *(("fidelity", "parent") if with_fidelity else ()), "score", "std"),
            *(f"fold_{fold}" for fold in range(folds)),
            *(["train_score"] if with_train else []),
            *(f"metric.{wording.one_line(name)}" for name in metrics),
            *(f"param.{wording.one_line(name)}" for name in names),
            *("origin", "failure", "message"),
        ]
    )
    for trial in listed:
        by_fold = {m.fold: m.score for m in trial.measurements}
        measured = trial.metrics
        writer.writerow(
            [
                *(trial.number, trial.status),
                *((1.0 if trial.fidelity is None else trial.fidelity, trial.parent) if with_fidelity else ()),
                *(_cell(trial.score), _cell(trial.std)),
                *(_cell(by_fold.get(fold)) for fold in range(folds)),
                *([_cell(trial.train_score)] if with_train else []),
                *(_cell(measured.get(name)) for name in metrics),
                *(wording.exact(trial.values[name]) if name in trial.values else "" for name in names),
                wording.one_line(trial.origin),
                trial.failure.kind if trial.failure else "",
                wording.one_line(trial.failure.message if trial.failure else trial.reason),
            ]
        )
    return out.getvalue()


def _cell(score: float | None) -> str:
    return "" if finite(score) is None else repr(float(score or 0.0))
