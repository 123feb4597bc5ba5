"""Asks an oracle, and looks at what it says before it becomes a trial.

Those hptune ships keep the laws of `tests/oracles`, so only a user's own is checked.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from hptune.errors import HptuneError, OracleFailed
from hptune.history import History
from hptune.oracle import WAIT, Answer, OracleSpec
from hptune.oracles.halving import Halving
from hptune.trial import Suggestion

NOTE_BYTES = 2048


def consult(oracle: OracleSpec, history: History, trial: int, *, finish: bool = False) -> Suggestion | Answer:
    """Return what the oracle proposes as trial number `trial`, the next one; with `finish` what it continues.

    Raises `OracleFailed` where a user's own oracle raises, or answers what cannot be a trial.
    """
    answer = _answer(oracle, history, trial, everything=False, finish=finish)
    if answer is WAIT and history.finished_until() == trial:
        # All that was begun has ended and the view still hides some of it: show it, so that waiting can end.
        answer = _answer(oracle, history, trial, everything=True, finish=finish)
        if answer is WAIT:
            _fail(oracle, trial, "waits although every trial has ended; return hptune.EXHAUSTED to end the study")
    return answer


def _answer(
    oracle: OracleSpec, history: History, trial: int, *, everything: bool, finish: bool
) -> Suggestion | Answer:
    ask = oracle.finish if finish else oracle.suggest
    rng = np.random.default_rng([history.seed, trial])
    own = _own(oracle)
    if own is None:
        return ask(history.view(trial, everything=everything), trial, rng)
    view = history.view(trial, everything=everything, copies=True)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results, with --json for one document
            answer = ask(view, trial, rng)
    except HptuneError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        frames = traceback.extract_tb(error.__traceback__)
        _fail(
            oracle, trial, f"raised {type(error).__name__}: {error} ({frames[-1].filename}, line {frames[-1].lineno})"
        )
    return answer if isinstance(answer, Answer) else _checked(oracle, own, answer, history, trial)


def _own(oracle: OracleSpec) -> OracleSpec | None:
    """Return the oracle, or its sampler, if that is a user's own; None if all is hptune's."""
    parts = [oracle, oracle.sampler] if isinstance(oracle, Halving) else [oracle]
    return next((one for one in parts if not type(one).__module__.startswith("hptune.")), None)


def _checked(oracle: OracleSpec, own: OracleSpec, answer: Any, history: History, trial: int) -> Suggestion:
    """Return the suggestion with plain Python values."""
    if not isinstance(answer, Suggestion) or not isinstance(answer.values, Mapping):
        _fail(
            oracle,
            trial,
            f"expected a hptune.Suggestion(values), hptune.WAIT or hptune.EXHAUSTED, found {_short(answer)}",
        )
    space = history.space
    wild = [name for name, found in answer.values.items() if isinstance(found, float) and not math.isfinite(found)]
    if wild:
        _fail(oracle, trial, f"{wild[0]}: expected a finite number, found {answer.values[wild[0]]}")
    try:
        values = space.complete(answer.values)
    except (ValueError, TypeError) as error:
        _fail(oracle, trial, str(error))
    missing = [name for name in values if name not in answer.values]
    if missing:
        _fail(
            oracle, trial, f"no value for {', '.join(missing)}, active here; space.complete(values) fills in defaults"
        )
    broken = space.broken(values)
    if broken is not None:
        _fail(oracle, trial, f"not allowed: {broken}")
    if answer.fidelity is not None and not (_finite(answer.fidelity) and answer.fidelity > 0):
        _fail(oracle, trial, f"fidelity: expected None or a number above 0, found {_short(answer.fidelity)}")
    before = history.seen_at(values, answer.fidelity)
    if before is not None:
        _fail(
            oracle,
            trial,
            f"its suggestion is the configuration of trial {before} again; where there is nothing better, "
            "hptune.unseen(history, rng) draws a new one",
        )
    if answer.parent is not None and answer.parent not in range(trial):
        _fail(oracle, trial, f"parent: expected an earlier trial's number, found {_short(answer.parent)}")
    predicted = answer.predicted
    if predicted is not None and not (
        isinstance(predicted, tuple) and len(predicted) == 2 and all(map(_finite, predicted))
    ):
        _fail(oracle, trial, f"predicted: expected (mean, standard deviation) of the loss, found {_short(predicted)}")
    return replace(
        answer, values=values, origin=str(answer.origin or type(own).__name__), note=_note(oracle, answer, trial)
    )


def _note(oracle: OracleSpec, answer: Suggestion, trial: int) -> dict[str, Any] | None:
    if answer.note is None:
        return None
    try:
        text = json.dumps(dict(answer.note), allow_nan=False)
    except (TypeError, ValueError) as error:
        _fail(oracle, trial, f"note: expected a mapping that JSON can hold, found {_short(answer.note)} ({error})")
    if len(text) > NOTE_BYTES:
        _fail(oracle, trial, f"note: expected at most {NOTE_BYTES} bytes of JSON, found {len(text)}")
    return dict(json.loads(text))


def _finite(number: Any) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)


def _short(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fail(oracle: OracleSpec, trial: int, what: str) -> NoReturn:
    own = _own(oracle)
    name = oracle.type if own in (None, oracle) else f"{oracle.type} of {own.type}"
    raise OracleFailed(
        f"the oracle {name}, asked for trial {trial}: {what}\nThe trials before it are kept: "
        "mend the oracle and run again."
    )
