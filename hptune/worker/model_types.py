"""What a model file may hold beside what skops trusts by itself: parts of scikit-learn's estimators, by full name.

skops calls a type that its reader trusts with arguments of the file. So these are written out, each one looked at: they
compute or hold numbers. That a class can be reached through scikit-learn says nothing (`sklearn.datasets._base.Path`
is pathlib's), and nothing is imported to find out.
"""

from __future__ import annotations

_BITS = ("64", "32")
_DISTANCES = (
    *("Euclidean", "SEuclidean", "Manhattan", "Chebyshev", "Minkowski", "Mahalanobis", "Hamming", "Canberra"),
    *("BrayCurtis", "Jaccard", "Matching", "Dice", "Kulsinski", "RogersTanimoto", "RussellRao", "SokalMichener"),
    *("SokalSneath", "Haversine"),
)  # PyFunc calls a function

_PARTS: dict[str, tuple[str, ...]] = {
    "numpy": ("dtype",),
    "sklearn._loss.loss": ("HalfTweedieLoss", "HalfTweedieLossIdentity"),
    "sklearn.calibration": ("_CalibratedClassifier", "_SigmoidCalibration", "_TemperatureScaling"),
    "sklearn.cluster._bisect_k_means": ("_BisectingTree",),
    "sklearn.compose._column_transformer": ("_RemainderColsList", "make_column_selector"),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.gaussian_process._gpc": ("_BinaryGaussianProcessClassifierLaplace",),
    "sklearn.gaussian_process.kernels": (
        *("CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern"),
        *("PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel"),
    ),
    "sklearn.impute._iterative": ("IterativeImputer", "_ImputerTriplet"),
    "sklearn.metrics._dist_metrics": tuple(f"{name}Distance{bits}" for name in _DISTANCES for bits in _BITS),
    "sklearn.metrics._scorer": ("_PassthroughScorer",),
    "sklearn.model_selection._search_successive_halving": ("HalvingGridSearchCV", "HalvingRandomSearchCV"),
    "sklearn.model_selection._split": (
        *(
            "GroupKFold",
            "GroupShuffleSplit",
            "KFold",
            "LeaveOneGroupOut",
            "LeaveOneOut",
            "LeavePGroupsOut",
            "LeavePOut",
        ),
        *("PredefinedSplit", "RepeatedKFold", "RepeatedStratifiedKFold", "ShuffleSplit", "StratifiedGroupKFold"),
        *("StratifiedKFold", "StratifiedShuffleSplit", "TimeSeriesSplit"),
    ),
    "sklearn.multiclass": ("_ConstantPredictor",),
    "sklearn.neighbors._ball_tree": ("BallTree", "BallTree32", "BallTree64"),
    "sklearn.neighbors._kd_tree": ("KDTree", "KDTree32", "KDTree64"),
    "sklearn.neural_network._stochastic_optimizers": ("AdamOptimizer", "SGDOptimizer"),
    "sklearn.tree._tree": ("Tree",),
    "sklearn.utils._bunch": ("Bunch",),
}
TYPES = frozenset(f"{module}.{name}" for module, names in _PARTS.items() for name in names)


def is_harmless(name: str) -> bool:
    """Return whether a model file may hold this type (a class, never a function), such as a forest's `Tree`."""
    return name in TYPES
