"""A model whose structure is searched, for `hypermodel.yaml`."""

from __future__ import annotations

from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import hptune


class NetworkOrNeighbours(hptune.HyperModel):
    """A neural network of one to three layers, each with its own width, or nearest neighbours."""

    def build(self, hp: hptune.HyperParameters) -> Pipeline:
        """Return an unfitted model; every call of `hp` declares a parameter the first time and returns its value."""
        if hp.Choice("kind", ["network", "neighbours"]) == "neighbours":
            with hp.conditional_scope("kind", ["neighbours"]):
                model = KNeighborsClassifier(hp.Int("neighbours", 1, 30, sampling="log"))
            return make_pipeline(StandardScaler(), model)
        with hp.conditional_scope("kind", ["network"]):
            layers = hp.Int("layers", 1, 3)
            widths = [hp.Int(f"width_{i}", 4, 32, step=4) for i in range(layers)]
            alpha = hp.Float("alpha", 1e-5, 1.0, sampling="log")
        network = MLPClassifier(widths, alpha=alpha, solver="lbfgs", max_iter=2000, random_state=0)
        return make_pipeline(StandardScaler(), network)
