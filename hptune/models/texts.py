"""Text vectorizers among columns: they take a list of texts, where everything else takes a table. Worker only.

A vectorizer that is given columns of the data is built as two steps of scikit-learn's own, so that the model that is
kept and the script that is exported need nothing else: missing texts become empty ones, and the first column is
handed over as it is. That there is but one is checked before (`worker.model_checks`).
"""

from __future__ import annotations

from typing import Any


def takes_texts(estimator: Any) -> bool:
    """Return whether an estimator says in its tags that it takes a list of texts and no table."""
    from sklearn.utils import get_tags

    if isinstance(estimator, type) or not hasattr(estimator, "__sklearn_tags__"):
        return False
    try:
        tags = get_tags(estimator).input_tags
    except AttributeError:  # of a class that mixes others in the wrong order: scikit-learn's own words tell, in a fit
        return False
    return bool(tags.string and not tags.two_d_array)


def given_a_table(estimator: Any) -> Any:
    """Return the estimator such that each vectorizer that it would hand a table to gets a column of it instead.

    That is the estimator itself, the first one of a pipeline (imputers before it are no matter) and the members of a
    FeatureUnion. The estimator handed in is changed.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import FeatureUnion, Pipeline

    if takes_texts(estimator):
        fill = SimpleImputer(strategy="constant", fill_value="", keep_empty_features=True)
        return Pipeline([("fill", fill), ("column", ColumnTransformer([("texts", estimator, 0)]))])
    if isinstance(estimator, Pipeline):
        number = next((number for number, (_, step) in enumerate(estimator.steps) if not _imputes(step)), 0)
        name, step = estimator.steps[number]
        estimator.steps[number] = (name, given_a_table(step))
    elif isinstance(estimator, FeatureUnion):
        members = estimator.transformer_list
        estimator.transformer_list = [(name, given_a_table(member)) for name, member in members]
    return estimator


def _imputes(step: Any) -> bool:
    return type(step).__module__.startswith("sklearn.impute") or step in (None, "passthrough")
