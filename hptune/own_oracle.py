"""A user's own oracle: from the dotted path in a config to the object that acts, with its options validated.

This imports the user's code into hptune's own process, so only `run`, `validate` and what they share come here; a
verb that reads a run directory never does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError

from hptune.config.findings import placed
from hptune.config.load import Loaded
from hptune.config.problems import problems_of
from hptune.errors import ConfigError
from hptune.oracle import OracleSpec, OwnOracle

KEY = "oracle.type"


def oracle_of(loaded: Loaded, allow_import: Sequence[str] = ()) -> OracleSpec:
    """Return the config's oracle, a class of the user's imported and made with its options.

    Raises `ConfigError` with lines for a class that may not be imported, is no oracle, or does not take the options.
    """
    declared = loaded.config.oracle
    if not isinstance(declared, OwnOracle):
        return declared
    from hptune.worker.imports import Importer

    load = Importer(str(loaded.folder.resolve()), allow_import, loaded.own_code, loaded.config.base or "")
    try:
        found = load(declared.type, key=KEY, wanted="oracle")
    except ConfigError as error:
        raise ConfigError(placed(error.problems, loaded)) from None
    if not (isinstance(found, type) and issubclass(found, OracleSpec)):
        what = f"another class ({found.__mro__[1].__name__})" if isinstance(found, type) else "no class"
        message = f"expected a subclass of hptune.OracleSpec, {declared.type} is {what}; see docs/oracles.md"
        raise ConfigError([loaded.problem(KEY, message)])
    if found.suggest is OracleSpec.suggest:
        message = f"{declared.type} has no suggest(self, history, trial, rng); see docs/oracles.md"
        raise ConfigError([loaded.problem(KEY, message)])
    options = {"type": declared.type, **declared.options}
    try:
        return found.model_validate_json(json.dumps(options), strict=True)
    except ValidationError as error:
        raise ConfigError(problems_of(error, found, loaded.sources, ("oracle",))) from None
    except Exception as error:  # a validator of the user's
        message = f"{declared.type} could not be made: {type(error).__name__}: {error}"
        raise ConfigError([loaded.problem("oracle", message)]) from error
