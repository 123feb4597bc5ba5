"""A user's own oracle or sampler: from the dotted path in a config to the object that acts, its options validated.

This imports the user's code into hptune's own process, so only `run`, `validate` and what they share come here; a
verb that reads a run directory never does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from hptune.config.findings import placed
from hptune.config.load import Loaded
from hptune.config.problems import problems_of
from hptune.errors import ConfigError
from hptune.oracle import OracleSpec, OwnOracle
from hptune.oracles.halving import Halving

ORACLE = ("oracle",)
SAMPLER = ("oracle", "sampler")


def oracle_of(loaded: Loaded, allow_import: Sequence[str] = ()) -> OracleSpec:
    """Return the config's oracle, a class of the user's (or its sampler's) imported and made with its options.

    Raises `ConfigError` with lines for a class that may not be imported, is no oracle, or does not take the options.
    """
    declared = loaded.config.oracle
    if isinstance(declared, OwnOracle):
        made = _made(declared, ORACLE, loaded, allow_import)
        if isinstance(made, Halving) and isinstance(made.sampler, OwnOracle):
            message = (
                f"expected an oracle of hptune's, found {made.sampler.type}; let {made.type} make its own sampler"
            )
            raise ConfigError([loaded.problem(".".join(SAMPLER), message)])
        return made
    if isinstance(declared, Halving) and isinstance(declared.sampler, OwnOracle):
        sampler = _made(declared.sampler, SAMPLER, loaded, allow_import)
        try:
            return declared.with_sampler(sampler)
        except ValidationError as error:
            raise ConfigError(problems_of(error, type(declared), loaded.sources, ORACLE)) from None
    return declared


def _made(declared: OwnOracle, path: tuple[str, ...], loaded: Loaded, allow_import: Sequence[str]) -> OracleSpec:
    """Return the object that stands at `path` in the config by the name of its class."""
    from hptune.worker.imports import Importer

    load = Importer(str(loaded.folder.resolve()), allow_import, loaded.own_code, loaded.config.base or "")
    key = _key(path, loaded)
    try:
        found = load(declared.type, key=key, wanted="oracle")
    except ConfigError as error:
        raise ConfigError(placed(error.problems, loaded)) from None
    if not (isinstance(found, type) and issubclass(found, OracleSpec)):
        what = f"another class ({found.__mro__[1].__name__})" if isinstance(found, type) else "no class"
        message = f"expected a subclass of hptune.OracleSpec, {declared.type} is {what}; see docs/oracles.md"
        raise ConfigError([loaded.problem(key, message)])
    if found.suggest is OracleSpec.suggest:
        message = f"{declared.type} has no suggest(self, history, trial, rng); see docs/oracles.md"
        raise ConfigError([loaded.problem(key, message)])
    options = {"type": declared.type, **declared.options}
    try:
        return found.model_validate_json(json.dumps(options), strict=True)
    except ValidationError as error:
        raise ConfigError(problems_of(error, found, loaded.sources, path)) from None
    except Exception as error:  # a validator of the user's
        message = f"{declared.type} could not be made: {type(error).__name__}: {error}"
        raise ConfigError([loaded.problem(".".join(path), message)]) from error


def _key(path: tuple[str, ...], loaded: Loaded) -> str:
    """Return the key path at which the class is named: a sampler may be nothing but its name."""
    written = loaded.sources.value
    for part in path:
        written = written.get(part) if isinstance(written, Mapping) else None
    return ".".join(path if isinstance(written, str) else (*path, "type"))
