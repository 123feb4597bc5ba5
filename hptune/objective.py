"""What is being optimised, and the only place where a score's sign is turned.

Outside, a *score* carries the sign its metric gave it (`neg_log_loss` is negative). Inside, policies see a *loss*:
smaller is better, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from hptune.errors import UsageError, did_you_mean

Direction = Literal["maximize", "minimize"]

_SMALLER: Final = ("loss", "error", "mse", "mae", "rmse")
_LARGER: Final = ("accuracy", "auc", "precision", "recall", "f1", "r2")
_SCORERS: Final = (
    "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "d2_absolute_error_score",
    "d2_brier_score", "d2_log_loss_score", "explained_variance", "f1_macro", "f1_micro", "f1_samples",
    "f1_weighted", "fowlkes_mallows_score", "homogeneity_score", "jaccard", "jaccard_macro", "jaccard_micro",
    "jaccard_samples", "jaccard_weighted", "matthews_corrcoef", "mutual_info_score",
    "normalized_mutual_info_score", "positive_likelihood_ratio", "precision_macro", "precision_micro",
    "precision_samples", "precision_weighted", "rand_score", "recall_macro", "recall_micro", "recall_samples",
    "recall_weighted", "roc_auc_ovo", "roc_auc_ovo_weighted", "roc_auc_ovr", "roc_auc_ovr_weighted",
    "v_measure_score",
)  # fmt: skip
"""scikit-learn's scorers of which the endings above do not tell that more is better; it need not be imported."""


@dataclass(frozen=True)
class Objective:
    """A metric's name and the direction in which its scores improve; "min" and "max" are KerasTuner's names of those."""

    metric: str
    direction: Direction

    def __init__(self, metric: str, direction: Direction | Literal["min", "max"]) -> None:
        full = (
            {"min": "minimize", "max": "maximize"}.get(direction, direction)
            if isinstance(direction, str)
            else direction
        )
        if full not in ("maximize", "minimize"):
            raise ValueError(f"direction: expected 'maximize' or 'minimize', found {direction!r}")
        object.__setattr__(self, "metric", metric)
        object.__setattr__(self, "direction", full)

    @classmethod
    def named(cls, metric: str) -> Objective:
        """Return the objective for a metric whose name tells its direction: `val_loss`, a scikit-learn scorer.

        Raises `UsageError` for any other.
        """
        if metric.startswith("neg_") or metric.endswith(_LARGER) or metric in _SCORERS:
            return cls(metric, "maximize")
        if metric.endswith(_SMALLER):
            return cls(metric, "minimize")
        raise UsageError(
            f"objective: {metric!r} tells no direction; expected a scikit-learn scorer or "
            f"hptune.Objective({metric!r}, 'maximize' or 'minimize'){did_you_mean(metric, [*_LARGER, *_SCORERS])}"
        )

    def loss(self, score: float) -> float:
        """Return the score as a loss: smaller is better."""
        return -score if self.direction == "maximize" else score

    def score(self, loss: float) -> float:
        """Return the score that has this loss (the inverse of `loss`)."""
        return -loss if self.direction == "maximize" else loss

    @property
    def shown_negated(self) -> bool:
        """Whether tables drop the minus of a `neg_` metric and say "lower is better"."""
        return self.direction == "maximize" and self.metric.startswith("neg_")
