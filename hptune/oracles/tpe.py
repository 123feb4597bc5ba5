"""Tree-structured Parzen estimator: where good trials are dense and others are not.

After Watanabe 2023 (arXiv 2304.11127): multivariate kernels, few of them wide. By benchmark
(docs/decisions/0005-bayesian-oracle.md): the best fifth is good, its kernels are weighted by rank and pulled together,
and the best of the drawn candidates are moved on. Conditional columns enter jointly; see
`hptune.surrogate.parzen`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

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

if TYPE_CHECKING:  # scipy is loaded when the model is first needed
    from hptune.surrogate.parzen import Parzen

Array = NDArray[np.float64]
Index = NDArray[np.intp]

MOST_GOOD = 25
MOST_OTHER = 64
"""Own kernels at most, so that a suggestion takes as long after ten thousand trials as after three hundred."""

LEAST_GOOD = 2
"""Of one good trial alone there is no spread to go by."""

PULL = 0.9
"""How far the good kernels are pulled to their weighted mean; see `hptune.surrogate.parzen`, equation (4)."""

SQUARED = 5.0
"""From about five good kernels on their narrowest bandwidth falls with the square of their number, as this over n²."""

LEADERS = 8
MOVES = 8
STEP = 0.3
"""The best candidates, how often each is moved, and by how much in units of the good kernels' width."""

HALF = 20
"""After so many own losses the kernels of earlier studies weigh half of what they did."""

FADED = 12
"""With more own losses than this earlier studies are left out."""


class Tpe(OracleSpec):
    """A multivariate tree-structured Parzen estimator: a few milliseconds a suggestion at any size.

    After `startup` Sobol points, draws `candidates` from the density of the good trials, moves the best of them on, and
    takes the one where that density most exceeds the others'.
    """

    summary: ClassVar[str] = "Parzen densities of good and other trials; 2-4 milliseconds a suggestion at any size"
    uses_prior: ClassVar[bool] = True
    type: Literal["tpe"] = "tpe"
    startup: int = Field(default=6, ge=1, le=1000, title="Points before the model")
    """How many configurations, the defaults and your own included, come before the densities are used."""
    candidates: int = Field(default=64, ge=1, le=10_000, title="Candidates per suggestion")
    """How many draws from the good density are compared."""
    good: float = Field(default=0.2, gt=0, lt=1, title="Share that counts as good")
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

    def prepare(self) -> None:
        from hptune.surrogate import maximize, parzen, warp  # noqa: F401

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
        # An earlier study's good trials may lie elsewhere: they are no part of the mean that the own ones are pulled to.
        n = len(good) + 1
        clip = min(1.0 / (1.0 + n), SQUARED / n**2)
        below = Parzen.of(good_rows, weight, *parts, clip=clip, pull=PULL, pulled=len(good))
        above = Parzen.of(other_rows, other_weight, *parts)
        for _ in range(4):  # again only where every candidate was taken or not allowed
            for row in self._ranked(encoding, below, above, rng):
                values = history.space.decode(row)
                if not history.seen(values) and history.space.broken(values) is None:
                    return Suggestion(values, origin="tpe")
        return None

    def _ranked(self, encoding: Encoding, below: Parzen, above: Parzen, rng: np.random.Generator) -> Array:
        """Return candidate rows (m, C), those first where the good density most exceeds the others'."""
        from hptune.surrogate.maximize import moved

        def ratio(X: Array) -> Array:
            return np.round(below.log_density(X) - above.log_density(X), 9)

        U = rng.random((self.candidates, encoding.width))
        X = encoding.legal(below.sample(U, rng.random(self.candidates)))
        score = ratio(X)
        # The median width of each column; NaN, where the column is inactive, is sorted to the end.
        ordered = np.concatenate([np.sort(below.width[:-1], axis=0), np.ones((1, below.width.shape[1]))])
        known = (~np.isnan(below.width[:-1])).sum(axis=0)
        columns = np.arange(len(known))
        step = (ordered[(known - 1) // 2, columns] + ordered[known // 2, columns]) / 2.0
        step = np.where(known > 0, step, 1.0)
        top = np.argsort(-score, kind="stable")[:LEADERS]
        base = np.repeat(X[top], MOVES, axis=0)
        near = moved(encoding, base, np.full(len(base), STEP), step, rng)
        X, score = np.concatenate([X, near]), np.concatenate([score, ratio(near)])
        return X[np.argsort(-score, kind="stable")]

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
        n = min(max(int(np.ceil(self.good * len(seen.loss))), LEAST_GOOD), MOST_GOOD, len(seen.loss) - 1)
        # The best of the others; without a sort, which is too slow for ten thousand trials.
        edge = float(np.partition(seen.loss, n)[n])
        good = np.concatenate([np.flatnonzero(seen.loss < edge), np.flatnonzero(seen.loss == edge)])[:n]
        good = good[np.argsort(seen.loss[good], kind="stable")]
        weight = np.log(n + 0.5) - np.log(np.arange(1, n + 1))  # by rank, as in CMA-ES (Hansen 2016, equation 49)
        weight /= weight[0]  # so that the trust in an earlier study's kernels has a scale
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
