"""The JSON Schema (draft 2020-12) of result.json: `hptune schema result` prints it."""

from __future__ import annotations

from typing import Any, Final

from hptune.report.result import SCHEMA_VERSION
from hptune.report.wording import STOP_REASONS

ID: Final = f"urn:hptune:result:{SCHEMA_VERSION}"


def result_schema() -> dict[str, Any]:
    """Return the schema; every key is required, and no others are allowed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "hptune result",
        "description": "What a hyperparameter study found. Scores carry the metric's own sign.",
        **_object(_TOP),
        "$defs": {"outcome": _object(_OUTCOME, "A trial: its configuration and what was measured of it.")},
    }


def _object(properties: dict[str, Any], description: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {"description": description} if description else {}
    return {
        **out,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _number(description: str, *, least: float | None = None) -> dict[str, Any]:
    limit = {} if least is None else {"minimum": least}
    return {"type": ["number", "null"], **limit, "description": description}


def _hash(what: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": f"Changes exactly when {what} does."}


def _count(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


def _outcome(description: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": "#/$defs/outcome"}, {"type": "null"}], "description": description}


_OUTCOME: Final[dict[str, Any]] = {
    "trial": _count("The trial's number; 0 is the baseline."),
    "params": {"type": "object", "description": "The active parameters, with their real types."},
    "score": _number("Mean of the fold scores."),
    "std": _number("Sample standard deviation of the fold scores.", least=0),
    "folds": {
        "type": "array",
        "items": {"type": ["number", "null"]},
        "description": "The fold scores, in fold order.",
    },
    "metrics": {
        "type": "object",
        "additionalProperties": {"type": ["number", "null"]},
        "description": "Means of the further metrics (evaluate.also).",
    },
    "holdout": _number("Score on the holdout, which the search never saw."),
    "optimism": _number("What its choice flatters its score by, in metric units (best only)."),
    "expected": _number("The score to expect on fresh rows, luck taken off (best only)."),
}

_TOP: Final[dict[str, Any]] = {
    "schema_version": {"const": SCHEMA_VERSION},
    "name": {"type": "string", "description": "The study's name."},
    "status": {
        "enum": ["complete", "interrupted", "no_success", "open"],
        "description": "no_success: it ended without any completed trial. open: asked and told, and not at its end.",
    },
    "stop_reason": {
        "enum": [*STOP_REASONS, None],
        "description": "Which limit ended the last session; null while the study is open.",
    },
    "reproducible": {
        "type": "boolean",
        "description": "Whether the same config, seed and lookahead give the same trials, whatever the timing.",
    },
    "objective": _object({"metric": {"type": "string"}, "direction": {"enum": ["maximize", "minimize"]}}),
    "best": _outcome("The completed trial with the best mean score; null if there is none."),
    "baseline": _outcome("Trial 0: the defaults."),
    "gain": _object(
        {
            "mean": _number("loss(baseline) - loss(best), in metric units, from the finals if held, luck taken off."),
            "low": _number("Lower end of its 90 % interval."),
            "high": _number("Upper end of its 90 % interval."),
            "p_value": _number("One-sided, of no gain at all.", least=0),
        },
        "What tuning brought over the defaults: positive is better.",
    ),
    "trials": _object(
        {
            "total": _count("Trials begun."),
            "completed": _count("All folds measured."),
            "stopped": _count("Given up before all folds were measured."),
            "failed": _count("Without a score."),
        }
    ),
    "stopped": {
        "type": "array",
        "items": _object({"trial": _count("Its number."), "folds": _count("How many of its folds were measured.")}),
        "description": "The trials given up early, by number, and after how many folds.",
    },
    "resource": {
        "anyOf": [
            _object(
                {
                    "name": {"type": "string", "description": "A parameter's path, rows or steps."},
                    "max": {"type": "number", "description": "The whole amount; 1 for rows."},
                    "lowest": {"type": "number", "description": "The smallest share that is spent."},
                    "spent": _number("In full trainings, every trial charged from nothing.", least=0),
                    "continued": _number("What of that was not trained again.", least=0),
                }
            ),
            {"type": "null"},
        ],
        "description": "What the oracle gave trials less of, null without such a resource.",
    },
    "holdout_uses": _count("How many winners were scored on the holdout; above 1 it is no longer quite fresh."),
    "seconds": {
        "type": "number",
        "minimum": 0,
        "description": "Wall time of the search, sessions added up; nested.seconds is that of outer folds.",
    },
    "seed": {"type": "integer"},
    "lookahead": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "Trial k was chosen knowing the results of trials up to k - lookahead; null: of all told.",
    },
    "workers": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "How many trials ran at once when the study began; null where hptune did not run them.",
    },
    "threads": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "BLAS and OpenMP threads of each worker: cores / workers, if nothing else limits them.",
    },
    "config_hash": _hash("anything in the config"),
    "problem_hash": _hash("what is being solved"),
    "space_hash": _hash("the search space"),
    "data_hash": _hash("the data's values"),
    "versions": {"type": "object", "additionalProperties": {"type": "string"}},
    "nested": {
        "type": ["object", "null"],
        "description": "Nested cross-validation: means over the outer folds that were compared with the defaults, the "
        "procedure's gain, each fold, and the wall time of their searches (seconds).",
    },
    "gate": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"verdict": {"enum": ["pass", "fail", "undecided"]}},
                "required": ["verdict"],
            },
            {"type": "null"},
        ],
        "description": "The verdict on the config's gate, null without one.",
    },
}
