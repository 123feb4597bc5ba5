"""Search spaces to begin with, for scikit-learn's usual estimators, each with its source.

Plain data: `space` is what stands under `space:` in a config, `params` what is better fixed than left at the default.
Ranges are the source's; parameters that rarely matter (tolerances, early stopping) are left out. Where it says "our
choice", nobody has measured these very ranges: they follow the documentation's advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hptune.errors import UsageError, did_you_mean

Task = Literal["classification", "regression"]
Entries = dict[str, Any]

_AUTO = "auto-sklearn (Feurer et al., NeurIPS 2015), autosklearn/pipeline/components"
_BOT = "OpenML's sklearn-bot, sklearnbot/config_spaces"
_OURS = "our choice, after scikit-learn's documentation"


@dataclass(frozen=True)
class DefaultSpace:
    """A search space for one estimator class.

    `scale` says whether the features must be on one scale, `missing` whether missing values are taken as they are.
    """

    class_path: str
    task: Task
    source: str
    space: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    scale: bool = False
    missing: bool = False

    @property
    def name(self) -> str:
        """The class's name, by which people ask for it."""
        return self.class_path.rpartition(".")[2]


def under(entries: Mapping[str, Any], path: str) -> Entries:
    """Return the entries of a space for an estimator that stands at `path`, conditions included."""
    if not path:
        return dict(entries)
    out: Entries = {}
    for name, entry in entries.items():
        if isinstance(entry, Mapping) and "when" in entry:
            entry = {**entry, "when": {f"{path}.{parent}": test for parent, test in entry["when"].items()}}
        out[f"{path}.{name}"] = entry
    return out


def find(name: str) -> DefaultSpace:
    """Return the space of the class called `name` (in any case, or by its dotted path); raises `UsageError`."""
    wanted = name.rpartition(".")[2].lower()
    for one in SPACES.values():
        if wanted == one.name.lower():
            return one
    begun = [one for one in SPACES if wanted and one.lower().startswith(wanted)]
    hint = f"; there are {' and '.join(begun)}" if begun else did_you_mean(name, SPACES)
    raise UsageError(f"no default space for {name!r}{hint or '; `hptune spaces` lists them all'}")


def _float(low: float, high: float, scale: str = "linear", **more: Any) -> Entries:
    return {"type": "float", "min": low, "max": high, **({"scale": scale} if scale != "linear" else {}), **more}


def _int(low: int, high: int, scale: str = "linear", **more: Any) -> Entries:
    return {"type": "int", "min": low, "max": high, **({"scale": scale} if scale != "linear" else {}), **more}


# -- linear models --------------------------------------------------------------------------------------------------

_RIDGE = {"alpha": _float(1e-4, 1e4, "log", default=1.0)}
_RIDGE_SOURCE = (
    f"{_OURS}; {_AUTO}/regression/ridge_regression.py searches 1e-5 to 10, widened upwards here because the penalty "
    "is set against a sum over all rows"
)
_LASSO_ALPHA = _float(1e-4, 1e1, "log")
_L1_RATIO = {"type": "choice", "values": [0.1, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0], "ordered": True, "default": 0.5}
_SGD = {
    "penalty": ["l2", "l1", "elasticnet"],
    "alpha": _float(1e-7, 1e-1, "log", default=1e-4),
    "l1_ratio": _float(1e-9, 1.0, "log", default=0.15, when={"penalty": "elasticnet"}),
    "eta0": _float(1e-7, 1e-1, "log", default=0.01, when={"learning_rate": ["invscaling", "constant"]}),
    "average": [False, True],
}

# -- support vector machines ----------------------------------------------------------------------------------------

_C = _float(2**-5, 2.0**15, "log", default=1.0)
_GAMMA = _float(2**-15, 8.0, "log", extra=["scale"])
_COEF0 = _float(-1.0, 1.0, default=0.0, when={"kernel": ["poly", "sigmoid"]})
_SLOW = "fitting takes time that grows with the square of the rows, and longer the larger C is: set budget.trial_time"

# -- trees ----------------------------------------------------------------------------------------------------------

_LEAVES = {"min_samples_split": _int(2, 20), "min_samples_leaf": _int(1, 20)}
_CLASS_TREE = {"criterion": ["gini", "entropy"], **_LEAVES}
_PRUNING = {"ccp_alpha": _float(1e-5, 1e-1, "log", extra=[0.0])}
_FOREST_NOTE = "more trees are never worse, only slower: n_estimators is fixed rather than searched"
_MANY_TREES = {"n_estimators": 300}
_FEATURES_OURS = "max_features: our choice (a fraction of the features; there it is an exponent)"


def _forest(task: Task, bootstrap: list[bool]) -> Entries:
    if task == "classification":
        return {**_CLASS_TREE, "max_features": _float(0.1, 1.0, extra=["sqrt"]), "bootstrap": bootstrap}
    return {**_LEAVES, "max_features": _float(0.1, 1.0, default=1.0), "bootstrap": bootstrap}


_BOOSTING = {
    "learning_rate": _float(0.01, 1.0, "log", default=0.1),
    "n_estimators": _int(64, 512, "log", default=100),
    "subsample": _float(0.1, 1.0, default=1.0),
    "max_depth": _int(1, 10, default=3),
    **_LEAVES,
    "max_features": _float(0.1, 1.0, extra=[None]),
}
_HISTOGRAM = {
    "learning_rate": _float(0.01, 1.0, "log", default=0.1),
    "max_iter": _int(50, 512, "log", default=100),
    "min_samples_leaf": _int(1, 200, "log", default=20),
    "max_leaf_nodes": _int(3, 2047, "log", default=31),
    "l2_regularization": _float(1e-10, 1.0, "log", extra=[0.0], default=0.0),
}

# -- neighbours and networks ----------------------------------------------------------------------------------------

_NEIGHBOURS = {"n_neighbors": _int(1, 100, "log", default=5), "weights": ["uniform", "distance"], "p": [2, 1]}
_NEIGHBOURS_NOTE = "n_neighbors must not exceed the training rows of a fold"
_NETWORK = {
    "hidden_layer_sizes": {
        "type": "choice",
        "values": [[100], [16], [32], [64], [264], [32, 32], [100, 100], [264, 264], [64, 64, 64]],
    },
    "activation": ["relu", "tanh"],
    "alpha": _float(1e-5, 1.0, "log", default=1e-4),
    "learning_rate_init": _float(1e-4, 0.5, "log", default=1e-3),
}
_NETWORK_PARAMS = {"max_iter": 512, "early_stopping": True}
_NETWORK_SOURCE = (
    f"{_AUTO}/classification/mlp.py; hidden_layer_sizes: 1 to 3 layers of 16 to 264 as there, the list is ours"
)


def _pair(
    stem: str, source: str, classes: Mapping[str, Any], numbers: Mapping[str, Any], **more: Any
) -> list[DefaultSpace]:
    """Return the spaces of the classifier and the regressor with a common name; the source is the classifier's."""
    taken_over = f"{source}; taken over for regression"
    return [
        DefaultSpace(f"{stem}Classifier", "classification", source, classes, **more),
        DefaultSpace(f"{stem}Regressor", "regression", taken_over, numbers, **more),
    ]


_ALL = [
    DefaultSpace("sklearn.linear_model.Ridge", "regression", _RIDGE_SOURCE, _RIDGE, scale=True),
    DefaultSpace(
        "sklearn.linear_model.Lasso",
        "regression",
        f"{_OURS}; alpha is in units of the target times those of the features",
        {"alpha": _LASSO_ALPHA},
        params={"max_iter": 20000},
        scale=True,
    ),
    DefaultSpace(
        "sklearn.linear_model.ElasticNet",
        "regression",
        f"{_OURS}; l1_ratio: the list that the documentation of ElasticNetCV recommends",
        {"alpha": _LASSO_ALPHA, "l1_ratio": _L1_RATIO},
        params={"max_iter": 20000},
        scale=True,
    ),
    DefaultSpace("sklearn.linear_model.RidgeClassifier", "classification", _RIDGE_SOURCE, _RIDGE, scale=True),
    DefaultSpace(
        "sklearn.linear_model.LogisticRegression",
        "classification",
        f"{_OURS}; C: the range of LogisticRegressionCV",
        {"C": _float(1e-4, 1e4, "log"), "class_weight": [None, "balanced"]},
        params={"max_iter": 1000},
        scale=True,
    ),
    DefaultSpace(
        "sklearn.linear_model.SGDClassifier",
        "classification",
        f"{_AUTO}/classification/sgd.py",
        {
            "loss": ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"],
            "learning_rate": ["optimal", "invscaling", "constant"],
            **_SGD,
        },
        scale=True,
    ),
    DefaultSpace(
        "sklearn.linear_model.SGDRegressor",
        "regression",
        f"{_OURS}; ranges as in {_AUTO}/classification/sgd.py",
        {"loss": ["squared_error", "huber"], "learning_rate": ["invscaling", "constant"], **_SGD},
        scale=True,
    ),
    DefaultSpace(
        "sklearn.svm.LinearSVC",
        "classification",
        f"{_AUTO}/classification/liblinear_svc.py; class_weight: ours",
        {"C": _C, "class_weight": [None, "balanced"]},
        params={"max_iter": 10000},
        scale=True,
    ),
    DefaultSpace(
        "sklearn.svm.SVC",
        "classification",
        f"{_AUTO}/classification/libsvm_svc.py",
        {
            "C": _C,
            "kernel": ["rbf", "poly", "sigmoid"],
            "gamma": _GAMMA,
            "degree": _int(1, 5, default=3, when={"kernel": "poly"}),
            "coef0": _COEF0,
        },
        note=_SLOW,
        scale=True,
    ),
    DefaultSpace(
        "sklearn.svm.SVR",
        "regression",
        f"{_AUTO}/regression/libsvm_svr.py",
        {
            "C": _C,
            "epsilon": _float(1e-3, 1.0, "log", default=0.1),
            "kernel": ["rbf", "linear", "poly", "sigmoid"],
            "gamma": {**_GAMMA, "when": {"kernel": ["rbf", "poly", "sigmoid"]}},
            "degree": _int(2, 5, default=3, when={"kernel": "poly"}),
            "coef0": _COEF0,
        },
        note=f"C and epsilon are in the target's units, and meant for one of standard deviation 1; {_SLOW}",
        scale=True,
    ),
    *_pair(
        "sklearn.tree.DecisionTree",
        f"{_AUTO}/classification/decision_tree.py; ccp_alpha: {_OURS}",
        {**_CLASS_TREE, **_PRUNING},
        {**_LEAVES, **_PRUNING},
        missing=True,
    ),
    *_pair(
        "sklearn.ensemble.RandomForest",
        f"{_AUTO}/classification/random_forest.py; {_FEATURES_OURS}",
        _forest("classification", [True, False]),
        _forest("regression", [True, False]),
        params=_MANY_TREES,
        note=_FOREST_NOTE,
        missing=True,
    ),
    *_pair(
        "sklearn.ensemble.ExtraTrees",
        f"{_AUTO}/classification/extra_trees.py; {_FEATURES_OURS}",
        _forest("classification", [False, True]),
        _forest("regression", [False, True]),
        params=_MANY_TREES,
        note=_FOREST_NOTE,
        missing=True,
    ),
    *_pair(
        "sklearn.ensemble.GradientBoosting",
        f"{_BOT}/gradient_boosting.py; learning_rate there goes to 2, subsample and max_features to 0",
        _BOOSTING,
        _BOOSTING,
    ),
    *_pair(
        "sklearn.ensemble.HistGradientBoosting",
        f"{_AUTO}/classification/gradient_boosting.py; max_iter: ours, 512 there",
        _HISTOGRAM,
        _HISTOGRAM,
        missing=True,
    ),
    *_pair(
        "sklearn.neighbors.KNeighbors",
        f"{_AUTO}/classification/k_nearest_neighbors.py",
        _NEIGHBOURS,
        _NEIGHBOURS,
        note=_NEIGHBOURS_NOTE,
        scale=True,
    ),
    *_pair("sklearn.neural_network.MLP", _NETWORK_SOURCE, _NETWORK, _NETWORK, params=_NETWORK_PARAMS, scale=True),
]
SPACES: dict[str, DefaultSpace] = {one.name: one for one in _ALL}
"""The spaces by class name, linear models first."""
