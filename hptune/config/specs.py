"""`StudyConfig`: a whole config as frozen specs, validated straight into the objects that will act.

The unions (model, data, oracle, executor) come from the registries. `space`, `constraints` and `start_with` stay
plain here: they make sense only together and with the model, see `config.space`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, SkipValidation, WithJsonSchema, WrapSerializer

from hptune.config.space_schema import CONSTRAINTS, SPACE, START_WITH
from hptune.config.unions import by_shape, by_type
from hptune.config.units import Bytes, Seconds
from hptune.config.yaml_scalars import shortened
from hptune.data import DATA_SOURCES, source_of
from hptune.dataset import DataSpec
from hptune.evaluate import EvaluateSpec
from hptune.executor import ExecutorSpec
from hptune.executors import EXECUTORS
from hptune.executors.process import ProcessSpec
from hptune.model import ModelSpec, NoModel
from hptune.models import MODELS, kind_of
from hptune.oracle import OracleSpec, OwnOracle
from hptune.oracles import ORACLES
from hptune.spec import Spec

if TYPE_CHECKING:
    Model: TypeAlias = ModelSpec
    AnyModel: TypeAlias = ModelSpec
    Data: TypeAlias = DataSpec
    Oracle: TypeAlias = OracleSpec
    AnyExecutor: TypeAlias = ExecutorSpec
else:
    Model = by_shape(MODELS, kind_of, "{class: sklearn.svm.SVC}")
    AnyModel = Annotated[
        Model | None,
        AfterValidator(lambda model: NoModel() if model is None else model),
        WrapSerializer(lambda model, plain: None if isinstance(model, NoModel) else plain(model)),
    ]
    Data = by_shape(DATA_SOURCES, source_of, "{train: data.csv, target: y}")
    Oracle = by_type(ORACLES, own=OwnOracle)
    AnyExecutor = by_type(EXECUTORS, default="process")

DEFAULT_TRIALS = 50
DEFAULT_ORACLE = next(name for name in ("auto", "bayesian", "quasi_random") if name in ORACLES)
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

_MODEL_OR_SPACE: list[Any] = [
    {"required": ["extends"]},
    {"required": ["model"]},
    {"required": ["space"], "properties": {"data": {"type": "null"}}},
]
"""A config without model has a space to ask for, and no data. What one that extends another lacks may stand there."""

Count = Annotated[int, Field(ge=1)]


def study_name(name: str) -> str:
    """Return `name` if it may name a study (and its folder), else raise ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"expected 1 to 64 letters, digits, '.', '_' or '-' (no '.' in front), found {shortened(name)!r}"
        )
    return name


def _present(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("expected a path, found nothing")
    return text


class Failures(Spec):
    """When a study gives up."""

    in_a_row: Count | None = Field(default=10, title="Failures in a row")
    """How many trials may fail one after another before the study stops (exit code 4); null: any number."""


class Budget(Spec):
    """What the study may spend. The first limit reached stops it, and is named in the result."""

    time: Seconds | None = Field(default=None, title="Time")
    """Wall time of the study, added up over sessions: 15m, 2h, 1h30m, or seconds."""
    trials: Count | None = Field(
        default_factory=lambda data: None if data.get("time") is not None else DEFAULT_TRIALS, title="Trials"
    )
    """How many configurations are tried, failed and raced-out ones included; 50 where neither trials nor time is
    given."""
    trial_time: Seconds | None = Field(default=None, title="Time of a trial")
    """Wall time of one trial, over all its folds."""
    trial_memory: Bytes | None = Field(default=None, title="Memory of a trial")
    """What a trial's process (with its children) may hold: 2GiB, 500MB, or bytes."""
    patience: Count | None = Field(default=None, title="Patience")
    """Stop when this many trials brought nothing better."""
    target: float | None = Field(default=None, title="Target")
    """Stop when the score is as good as this; the sign is the metric's own."""
    failures: Failures = Field(default_factory=Failures, title="Failures")
    """How many failed trials are put up with."""


class Output(Spec):
    """Where results go, and the model that is kept."""

    dir: Annotated[str, AfterValidator(_present)] | None = Field(default=None, title="Run directory")
    """The run directory, relative to the config; runs/NAME in the working directory by default."""
    refit: bool | Literal["all"] = Field(default=True, title="Refit")
    """Whether the winner is fitted again on all training rows and saved; all: the holdout's rows too."""


class Gate(Spec):
    """What the gain over the baseline has to be for exit code 0."""

    baseline: Literal["defaults"] | float | Annotated[str, AfterValidator(_present)] = Field(
        default="defaults", title="Baseline"
    )
    """What the best trial is compared with: the defaults (trial 0), a score, or the path of another study's
    result.json, relative to this file."""
    min_gain: float = Field(default=0.0, title="Smallest gain")
    """The gain to be shown, in the metric's units."""
    confidence: float = Field(default=0.9, gt=0.5, lt=1, title="Confidence")
    """Of the one-sided bound that is set against min_gain."""
    on: Literal["cv", "holdout"] = Field(default="cv", title="Measured on")
    """Where the gain is measured."""
    undecided: Literal["fail", "pass"] = Field(default="fail", title="If undecided")
    """What an interval on both sides of min_gain means for the exit code."""


class Prior(Spec):
    """What is known before the study starts."""

    runs: Annotated[list[Annotated[str, AfterValidator(_present)]], Field(min_length=1, max_length=20)] = Field(
        title="Earlier run directories"
    )
    """Run directories of earlier studies of the same or an overlapping space, relative to this file. Their trials
    guide the oracle and are never counted as this study's own; what was read is kept with the study."""


class StudyConfig(Spec):
    """A tuning study: what to tune, on which data, how to search and when to stop."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _MODEL_OR_SPACE})

    version: Literal[1] = Field(default=1, title="Version of the config format")
    """Of the keys on this list; 1 is the only one so far."""
    extends: str | list[str] | None = Field(default=None, title="Extends", exclude=True)
    """Configs that this one changes, relative to it: mappings are merged, null takes a key out, all else replaces."""
    base: Annotated[str, AfterValidator(_present)] | None = Field(default=None, title="Base folder")
    """The folder that relative paths start from, seen from this file; its own folder by default. Configs that hptune
    writes into a run directory name here the folder of the config they came from."""
    name: Annotated[str, AfterValidator(study_name)] = Field(default="study", title="Name")
    """The study's name, and that of its folder; the file's name by default."""
    seed: int = Field(default=0, ge=0, le=2**63 - 1, title="Seed")
    """The one seed that all randomness derives from."""
    data: Data | None = Field(default=None, title="Data")
    """What the models are fitted to; function, hypermodel and command models may do without."""
    model: AnyModel = Field(default_factory=NoModel, title="Model")
    """What is tuned: one of class, pipeline, choose, function, hypermodel, command. Without it a script of your own asks
    for configurations and tells their scores: `hptune ask`, `hptune tell`."""
    space: Annotated[dict[str, Any], WithJsonSchema(SPACE)] = Field(default_factory=dict, title="Search space")
    """Parameters by their paths: a value fixes one, a list is a choice (of values, lists and mappings), a mapping with
    type: a range."""
    constraints: Annotated[SkipValidation[list[Any]], WithJsonSchema(CONSTRAINTS)] = Field(
        default_factory=list, title="Constraints"
    )
    """Which configurations are not allowed: {forbid: {...}} or {require: expression}."""
    start_with: Annotated[SkipValidation[list[Any]], WithJsonSchema(START_WITH)] = Field(
        default_factory=lambda: ["defaults"], title="First configurations"
    )
    """Configurations to try first; the defaults always come first of all."""
    prior: Prior | None = Field(default=None, title="Prior knowledge")
    """Earlier studies to learn from."""
    probe: bool = Field(default=True, title="Probe fits")
    """Whether every branch of the model, and both ends of every range, are fitted once on a few rows before the study
    starts."""
    evaluate: EvaluateSpec = Field(default_factory=EvaluateSpec, title="Evaluation")
    """How a configuration is measured: by which metric, on which folds, and how the winner is confirmed."""
    oracle: Oracle = Field(default_factory=lambda: ORACLES[DEFAULT_ORACLE](type=DEFAULT_ORACLE), title="Oracle")
    """What proposes configurations."""
    budget: Budget = Field(default_factory=Budget, title="Budget")
    """What the study, and each trial, may spend."""
    executor: AnyExecutor = Field(default_factory=lambda: ProcessSpec(), title="Executor")
    """What runs the trials."""
    output: Output = Field(default_factory=Output, title="Output")
    """Where results go, and whether the winner is fitted again and kept."""
    gate: Gate | None = Field(default=None, title="Gate")
    """Exit code 3 unless tuning gained enough."""

    @property
    def asked(self) -> bool:
        """Whether it has no model: a script outside asks for its trials and tells their scores."""
        return isinstance(self.model, NoModel)

    @property
    def lookahead(self) -> int | None:
        """How far trials look ahead; None under `order: async`, and where whatever is told counts at once."""
        if self.asked or self.executor.order == "async":
            return None
        return self.executor.resolved_lookahead()
