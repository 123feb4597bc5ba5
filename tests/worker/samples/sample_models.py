"""Hypermodels and estimators, as a user writes them next to a config."""

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hptune.hypermodel import HyperModel


def build(hp):
    kind = hp.Choice("kind", ["ridge", "lasso"])
    with hp.conditional_scope("kind", "ridge"):
        if kind == "ridge":
            return make_pipeline(StandardScaler(), Ridge(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log")))
    with hp.conditional_scope("kind", "lasso"):
        return make_pipeline(StandardScaler(), Lasso(alpha=hp.Float("l1", 1e-3, 10, sampling="log")))


class Forest(HyperModel):
    def build(self, hp):
        self.built = True
        return RandomForestRegressor(n_estimators=hp.Int("trees", 2, 6), max_depth=3)


class OwnFit:
    """Not a subclass: duck typing is enough. Its `fit` finds what its own `build` left."""

    def build(self, hp):
        self.shift = hp.Float("shift", 0.0, 10.0)
        return Ridge()

    def fit(self, hp, model, X, y):
        assert hp.get("shift") == self.shift
        model.fit(X, y + self.shift)


class WeightedFit:
    """Its `fit` asks for the weights."""

    def build(self, hp):
        return Ridge()

    def fit(self, hp, model, X, y, sample_weight=None):
        model.weighed = sample_weight is not None
        return model.fit(X, y, sample_weight)


class AsksInFit(HyperModel):
    """Its `fit` asks for what `build` does not."""

    def build(self, hp):
        return Ridge(alpha=hp.Float("alpha", 0.1, 1))

    def fit(self, hp, model, X, y):
        return model.fit(X[::-1] if hp.Boolean("reverse") else X, y)


def layers(hp):
    model = hp.Choice("model", ["v1", "v2"])
    for name, low in (("v1", 1), ("v2", 20)):
        with hp.conditional_scope("model", name):
            if model == name:
                hp.Int("layers", low, low + 2)
    return Ridge()


class NoBuild:
    pass


def builds_text(hp):
    hp.Int("x", 1, 2)
    return "model"


def raises(hp):
    raise RuntimeError("no build today")


class Mean(RegressorMixin, BaseEstimator):
    """Predicts the mean, moved by `shift`; skops does not know it."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.mean_ = y.mean() + self.shift
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return [self.mean_] * len(X)


class Unlucky(Mean):
    def fit(self, X, y):
        raise ValueError("this model never fits")


class Unpicklable(Mean):
    def fit(self, X, y):
        super().fit(X, y)
        self.function_ = lambda: 0
        return self
