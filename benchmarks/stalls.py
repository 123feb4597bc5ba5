"""Studies that stopped making progress where random search would have made some: `python -m benchmarks.oracles stalls`.

Legend: best_t the least loss of the first t trials; q the share of random configurations with a loss below best_20,
from the random runs of the problem with the same seeds (more of them are another yardstick).

A study stalls if best_50 = best_20 although 30 random draws would have found something better with a chance of at
least one half: 1 - (1 - q)^30 >= 1/2, that is q >= 0.023. A study that has the best of what there is cannot stall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

FROM, TO = 20, 50
CHANCE = 0.5


def chance(best: float, pool: Iterable[float], draws: int = TO - FROM) -> float:
    """Return the chance that so many random draws from the pool contain a loss below `best`."""
    losses = np.fromiter(pool, dtype=np.float64)
    return float(1.0 - (1.0 - np.mean(losses < best)) ** draws)


def stalls(
    runs: Mapping[tuple[str, str, int], Mapping[str, Any]], optimiser: str, names: Iterable[str]
) -> list[tuple[str, int, float]]:
    """Return (problem, seed, random search's chance of progress) of the optimiser's studies that stalled."""
    out = []
    for name in names:
        pool = [y for (o, p, _), r in runs.items() if p == name and o == "random" for y in r["y"][1:]]
        for (o, p, seed), r in sorted(runs.items()):
            if o == optimiser and p == name and pool and len(r["y"]) >= TO:
                held = min(r["y"][:FROM])
                found = chance(held, pool)
                if min(r["y"][:TO]) >= held and found >= CHANCE:
                    out.append((name, seed, found))
    return out
