"""What `Tuner` itself is given, checked and made plain: numbers, the seed, the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from hptune.errors import UsageError
from hptune.oracle import OracleSpec
from hptune.oracles import ORACLES
from hptune.oracles.halving import Halving
from hptune.study_arguments import shown

Oracle = str | OracleSpec | Mapping[str, Any] | None


def counted(name: str, number: object) -> int:
    """Return a whole number above 0 as Python's; raises `UsageError` for anything else."""
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise UsageError(f"{name}: expected a whole number above 0, found {shown(number)}")
    return int(number)


def without_shares(oracle: Oracle) -> Oracle:
    """Return the oracle; raises `UsageError` for one that gives trials shares of a resource."""
    name = oracle.get("type") if isinstance(oracle, Mapping) else oracle
    kind = ORACLES.get(name) if isinstance(name, str) else type(oracle)
    if kind is not None and issubclass(kind, Halving):
        raise UsageError(
            f"oracle: {kind.model_fields['type'].default} gives trials shares of a resource, of which run_trial knows "
            f"nothing; take bayesian, tpe, random or grid, or ask a Study, whose trials tell their `fidelity`"
        )
    return oracle
