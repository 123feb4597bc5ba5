"""The oracles hptune ships, by the name that `oracle: {type: NAME}` uses. Each is one file in this folder."""

from __future__ import annotations

from typing import Final

from hptune.oracle import OracleSpec
from hptune.oracles.asha import Asha
from hptune.oracles.auto import Auto
from hptune.oracles.bayesian import Bayesian
from hptune.oracles.grid import Grid
from hptune.oracles.hyperband import Hyperband
from hptune.oracles.quasi_random import QuasiRandom
from hptune.oracles.random import Random
from hptune.oracles.tpe import Tpe

ORACLES: Final[dict[str, type[OracleSpec]]] = {
    "random": Random,
    "grid": Grid,
    "quasi_random": QuasiRandom,
    "bayesian": Bayesian,
    "tpe": Tpe,
    "hyperband": Hyperband,
    "asha": Asha,
    "auto": Auto,
}
