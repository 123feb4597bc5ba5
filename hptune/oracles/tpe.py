"""Tree-structured Parzen estimator: where good trials are dense and others are not.

Settings after Watanabe 2023 (arXiv 2304.11127): multivariate kernels, weighted by their improvement; the best 10 % as
good and the wider bandwidths of few kernels by benchmark. Conditional columns enter jointly; see
`hptune.surrogate.parzen`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hptune.design import design
from hptune.encoding import Encoding, encoding_of
from hptune.history import View
from hptune.observations import Observations, observe
from hptune.oracle import Answer, OracleSpec, unseen
from hptune.prior import earlier, weights
from hptune.trial import Suggestion

Array = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_GOOD = 25
MOST_OTHER = 256
"""Own kernels at most, so that a suggestion takes as long after ten thousand trials as after three hundred."""


HALF = 20
"""After so many own losses the kernels of earlier studies weigh half of what they did."""

FADED = 200
"""With more own losses than this earlier studies are left out."""


class Tpe(OracleSpec):
    """A multivariate tree-structured Parzen estimator: about a millisecond a suggestion at any size.

    After `startup` Sobol points, draws `candidates` from the density of the good trials and takes the one where that
    density most exceeds the others'.
    """

    summary: ClassVar[str] = "Parzen densities of good and other trials; a millisecond a suggestion at any size"
    uses_prior: ClassVar[bool] = True
    type: Literal["tpe"] = "tpe"
    startup: int = Field(default=10, ge=1, le=1000, title="Points before the model")
    """How many configurations, the defaults and your own included, come before the densities are used."""
    candidates: int = Field(default=64, ge=1, le=10_000, title="Candidates per suggestion")
    """How many draws from the good density are compared."""
    good: float = Field(default=0.1, gt=0, lt=1, title="Share that counts as good")
    """The share of trials whose density is sought, up to 25 of them."""

    def suggest(self, history: View, trial: int, rng: np.random.Generator) -> Suggestion | Answer:
        encoding = encoding_of(history.space)
        seen = observe(history)
        suggestion = design(history, seen, trial, self.startup)
        if suggestion is None and len(seen.loss) > 1 and len(encoding.numeric) + len(encoding.category):
            suggestion = self._model_based(history, encoding, seen, rng)
        if suggestion is not None:
            return suggestion
        values = unseen(history, rng)
        return values if isinstance(values, Answer) else Suggestion(values, origin="random")

    def _model_based(
        self, history: View, encoding: Encoding, seen: Observations, rng: np.random.Generator
    ) -> Suggestion | None:
        from hptune.surrogate.parzen import Parzen

        good, weight, other = self._halves(seen)
        levels = tuple(np.array(encoding.columns[j].weights) for j in encoding.category)
        smallest = _smallest(encoding)
        parts = (encoding.numeric, encoding.category, levels, smallest)
        good_rows, other_rows, other_weight = seen.rows[good], seen.rows[other], np.ones(len(other))
        if len(seen.loss) <= FADED:
            for rows, trust, best in self._earlier(history, seen, parts):
                good_rows = np.concatenate([good_rows, rows[:best]])
                weight = np.concatenate([weight, np.full(best, trust)])
                other_rows = np.concatenate([other_rows, rows[best:]])
                other_weight = np.concatenate([other_weight, np.full(len(rows) - best, trust)])
        below = Parzen.of(good_rows, weight, *parts)
        above = Parzen.of(other_rows, other_weight, *parts)
        for _ in range(4):  # again only where every candidate was taken or not allowed
            U = rng.random((self.candidates, encoding.width))
            X = encoding.legal(below.sample(U, rng.random(self.candidates)))
            score = below.log_density(X) - above.log_density(X)
            for i in np.argsort(-np.round(score, 9), kind="stable"):
                values = history.space.decode(X[i])
                if not history.seen(values) and history.space.broken(values) is None:
                    return Suggestion(values, origin="tpe")
        return None

    def _earlier(self, history: View, seen: Observations, parts: Any) -> Iterator[tuple[Array, float, int]]:
        """Yield each believed earlier study's rows from the best, their trust, and how many of them are good.

        An earlier study's own ratio of densities at the own trials is what it expects of them (`hptune.prior`); the
        trust fades as 1 / (1 + n / `HALF`) besides.
        """
        from hptune.surrogate.parzen import Parzen
        from hptune.surrogate.warp import warp

        known = earlier(history.history)
        if not known:
            return
        own = seen.rows[seen.measured]
        expected, sizes = [], []
        for one in known:
            rows = one.rows[one.order]
            best = max(int(np.ceil(self.good * len(rows))), 1)
            densities = [Parzen.of(part, np.ones(len(part)), *parts) for part in (rows[:best], rows[best:])]
            both = np.concatenate([own, rows])
            ratio = densities[1].log_density(both) - densities[0].log_density(both)
            spread = float(ratio[len(own) :].std())
            expected.append(ratio[: len(own)] / (spread if spread > 0 else 1.0))
            sizes.append(best)
        beta = weights(np.stack(expected, axis=1), warp(seen.loss))
        fade = 1.0 / (1.0 + len(own) / HALF)
        for one, trust, best in zip(known, beta, sizes, strict=True):
            if trust > 0:
                yield one.rows[one.order], float(trust) * fade, best

    def _halves(self, seen: Observations) -> tuple[Index, Array, Index]:
        """Return the good trials, their weights, and the others; failed and pending trials are among the others."""
        n = min(max(int(np.ceil(self.good * len(seen.loss))), 1), MOST_GOOD, len(seen.loss) - 1)
        # The best of the others; without a sort, which is too slow for ten thousand trials.
        edge = float(np.partition(seen.loss, n)[n])
        good = np.concatenate([np.flatnonzero(seen.loss < edge), np.flatnonzero(seen.loss == edge)])[:n]
        gain = edge - seen.loss[good]
        weight = gain / gain.max() if gain.max() > 0 else np.ones(n)
        weight = np.maximum(weight, 1e-3)  # a tie with the edge still counts a little
        among = np.ones(len(seen.rows), dtype=bool)
        among[seen.measured[good]] = False
        if len(seen.lower):  # of a configuration tried at several fidelities only one row counts
            among[np.setdiff1d(seen.lower, seen.measured)] = False
        others = np.flatnonzero(among)
        if len(others) > MOST_OTHER:
            late = MOST_OTHER // 2
            spread = others[np.linspace(0, len(others) - late - 1, MOST_OTHER - late).astype(np.intp)]
            others = np.concatenate([spread, others[-late:]])
        return seen.measured[good], weight, others


def _smallest(encoding: Encoding) -> Array:
    """Return each numeric column's narrowest bandwidth: on a coarse grid half a cell, else `MIN_BANDWIDTH`."""
    from hptune.surrogate.parzen import MIN_BANDWIDTH

    counts = [encoding.snaps[int(j)].count for j in encoding.numeric]
    return np.array([MIN_BANDWIDTH if count is None else max(MIN_BANDWIDTH, 0.5 / count) for count in counts])
