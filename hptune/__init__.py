"""hptune: one YAML, one command; tune a model and learn what tuning really gained.

The names below are loaded on first use, so that `import hptune` (and the command line's `--help`) is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hptune import errors as errors
    from hptune.analysis.importance import Importance as Importance
    from hptune.analysis.importance import importance as importance
    from hptune.history import History as History
    from hptune.history import View as View
    from hptune.hypermodel import HyperModel as HyperModel
    from hptune.hyperparameters import HyperParameters as HyperParameters
    from hptune.objective import Objective as Objective
    from hptune.oracle import EXHAUSTED as EXHAUSTED
    from hptune.oracle import WAIT as WAIT
    from hptune.oracle import Answer as Answer
    from hptune.oracle import OracleSpec as OracleSpec
    from hptune.oracle import unseen as unseen
    from hptune.space import Boolean as Boolean
    from hptune.space import Choice as Choice
    from hptune.space import Fixed as Fixed
    from hptune.space import Float as Float
    from hptune.space import Int as Int
    from hptune.space import SearchSpace as SearchSpace
    from hptune.study import Study as Study
    from hptune.trial import Failure as Failure
    from hptune.trial import Suggestion as Suggestion
    from hptune.trial import Trial as Trial
    from hptune.tuner import Tuner as Tuner
    from hptune.tuner import TunerTrial as TunerTrial

__version__ = "0.1.0"

_HOMES = {
    "Study": "hptune.study",
    "Objective": "hptune.objective",
    "HyperParameters": "hptune.hyperparameters",
    "HyperModel": "hptune.hypermodel",
    "SearchSpace": "hptune.space",
    "Float": "hptune.space",
    "Int": "hptune.space",
    "Choice": "hptune.space",
    "Boolean": "hptune.space",
    "Fixed": "hptune.space",
    "Trial": "hptune.trial",
    "Failure": "hptune.trial",
    "History": "hptune.history",
    "View": "hptune.history",
    "OracleSpec": "hptune.oracle",
    "Suggestion": "hptune.trial",
    "Answer": "hptune.oracle",
    "WAIT": "hptune.oracle",
    "EXHAUSTED": "hptune.oracle",
    "unseen": "hptune.oracle",
    "Tuner": "hptune.tuner",
    "importance": "hptune.analysis.importance",
    "Importance": "hptune.analysis.importance",
    "TunerTrial": "hptune.tuner",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Return an exported name from its module (PEP 562)."""
    if name == "errors":
        return importlib.import_module("hptune.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
