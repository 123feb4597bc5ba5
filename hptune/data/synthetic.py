"""`data: {synthetic: {kind: sparse_linear, ...}}`: data made up by a formula, the best possible score being known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hptune.dataset import DataSpec, Rows, bad
from hptune.errors import did_you_mean
from hptune.model import Loader
from hptune.randomness import generator, seed_for
from hptune.spec import Spec

Positive = Annotated[int, Field(strict=True, ge=1)]


class Generated(Spec):
    """What all kinds share."""

    kind: str
    """sparse_linear (a regression) or classification."""
    n: Annotated[int, Field(strict=True, ge=2, le=10_000_000)] = 100
    """Rows."""
    d: Positive = 20
    """Features."""
    informative: Positive = 5
    """Features that y depends on: the first ones."""
    seed: int = 0
    """The data's own seed, apart from the study's."""

    @model_validator(mode="after")
    def _fits(self) -> Generated:
        if self.informative > self.d:
            raise ValueError(f"informative: expected at most d = {self.d}, found {self.informative}")
        return self

    def make(self) -> tuple[Any, Any]:
        """Return X (n, d) and y (n,); worker only."""
        raise NotImplementedError


class SparseLinear(Generated):
    """y = x_0 + ... + x_(k-1) + noise, X standard normal, k = `informative`.

    The sum has variance k; with noise of variance k (1 - R2) / R2 the true model's R2 in the population is
    k / (k + noise) = R2 = `bayes_r2`. No model can do better but by luck.
    """

    kind: Literal["sparse_linear"] = "sparse_linear"
    bayes_r2: Annotated[float, Field(gt=0, le=1)] = 0.8
    """The R2 of the true model."""

    def make(self) -> tuple[Any, Any]:
        rng = generator(self.seed, "synthetic", self.kind)
        X = rng.standard_normal((self.n, self.d))
        variance = self.informative * (1 - self.bayes_r2) / self.bayes_r2
        return X, X[:, : self.informative].sum(axis=1) + rng.standard_normal(self.n) * variance**0.5


class Classes(Generated):
    """scikit-learn's make_classification without redundant features, two clusters a class, unshuffled columns."""

    kind: Literal["classification"] = "classification"
    classes: Annotated[int, Field(strict=True, ge=2)] = 2
    """How many classes, of about as many rows each."""
    separation: Annotated[float, Field(gt=0)] = 1.0
    """How far the clusters are apart (class_sep)."""
    flip: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of labels drawn at random (flip_y)."""

    @model_validator(mode="after")
    def _enough(self) -> Classes:
        if 2 * self.classes > 2**self.informative:
            raise ValueError(f"informative: {self.classes} classes need more features than {self.informative}")
        return self

    def make(self) -> tuple[Any, Any]:
        from sklearn.datasets import make_classification

        return make_classification(  # type: ignore[no-any-return]
            self.n,
            self.d,
            n_informative=self.informative,
            n_redundant=0,
            n_classes=self.classes,
            class_sep=self.separation,
            flip_y=self.flip,
            shuffle=False,
            random_state=seed_for(self.seed, "synthetic", self.kind),
        )


KINDS: dict[str, type[Generated]] = {"sparse_linear": SparseLinear, "classification": Classes}


def _known(value: Any) -> Any:
    if not isinstance(value, (Mapping, Generated)):
        raise ValueError(f"expected {{kind: ...}} with its options, found {value!r}")
    if isinstance(value, Mapping) and value.get("kind") not in KINDS:
        found = value.get("kind")
        hint = "nothing" if found is None else f"{found!r}{did_you_mean(str(found), KINDS)}"
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, found {hint}")
    return value


AnyGenerated = Annotated[
    Annotated[SparseLinear, Tag("<sparse_linear>")] | Annotated[Classes, Tag("<classification>")],
    Discriminator(
        lambda value: f"<{value.get('kind') if isinstance(value, Mapping) else getattr(value, 'kind', '')}>"
    ),
    BeforeValidator(_known),
]


class SyntheticData(DataSpec):
    """Data made up by a formula."""

    key: ClassVar[str] = "synthetic"
    well_known: ClassVar[bool] = True

    synthetic: AnyGenerated
    """kind: and its options."""

    @classmethod
    def claims(cls, data: Mapping[str, Any]) -> bool:
        return "synthetic" in data

    def read(self, folder: str, aside: Sequence[str], load: Loader | None = None) -> Rows:
        del folder, load
        for name in aside:
            raise bad("evaluate.cv.column", f"synthetic data has no column of fold numbers {name!r}")
        X, y = self.synthetic.make()
        return Rows(X=X, y=y)
