"""What `run`, `validate` and `space` share: a config loaded and, where wanted, inspected; warnings on stderr."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hptune.commands._failing import mutter
from hptune.commands._shared import NEXT_TO_JOURNAL
from hptune.errors import ConfigError, DirectoryUnusable, Problem, UsageError

if TYPE_CHECKING:
    from hptune.config.load import Loaded
    from hptune.job import Inspection

CONFIG = "config.yaml"
LOOKING = "looking at model, data and space ..."
"""Said before what takes seconds: scikit-learn is imported, the data read, the model tried."""
_WELL_KNOWN = ("sklearn", "xgboost", "lightgbm", "catboost", "imblearn")


def config_of(target: Path) -> tuple[Path, Path | None]:
    """Return the config file that a CONFIG or DIR argument stands for, and the run directory if it is one.

    Raises `UsageError` when there is neither, `DirectoryUnusable` for a folder that may not be read.
    """
    if target.is_dir():
        try:
            config, journal = (target / CONFIG).is_file(), (target / NEXT_TO_JOURNAL).is_file()
        except PermissionError as error:
            raise DirectoryUnusable(f"cannot read {error.filename}: {error.strerror}") from None
        if config:
            return target / CONFIG, target
        if journal:
            from hptune.run_directory import outer_fold_of

            if (whole := outer_fold_of(target)) is not None:
                raise UsageError(
                    f"{target}: holds an outer fold of the study in {whole}, and no {CONFIG} of its own: "
                    f"`hptune run {whole}` goes on with it"
                )
            raise UsageError(
                f"{target}: holds a study without {CONFIG}, as hptune.Study and hptune.Tuner keep them: the same call "
                f"in Python goes on with it (directory={str(target)!r})"
            )
        raise UsageError(f"{target}: expected a config file or a run directory, found a folder without {CONFIG}")
    return target, None


def loaded_from(target: Path, overrides: Sequence[str]) -> Loaded:
    """Return the config a CONFIG or DIR argument stands for; raises `ConfigError` and `UsageError`."""
    from hptune.config.load import load

    return load(config_of(target)[0], list(overrides))


def run_directory(loaded: Loaded) -> Path:
    """Return the run directory a config asks for: its output.dir (from its own folder), else runs/NAME."""
    wanted = loaded.config.output.dir
    if wanted is None:
        return Path("runs") / loaded.config.name
    place = Path(os.path.relpath((loaded.folder / Path(wanted).expanduser()).resolve()))
    return place if len(place.parts) < len(place.resolve().parts) else place.resolve()


def place_of(loaded: Loaded, folder: Path | None, wanted: Path | None) -> Path:
    """Return the run directory: `wanted` (--dir), else `folder` if that was given as one, else the config's.

    Raises `UsageError` and `ConfigError` where a run directory's study is to go on in another place.
    """
    if wanted is not None and folder is not None and wanted.resolve() != folder.resolve():
        raise UsageError(f"--dir: {folder} is a run directory; give its config file to run it in {wanted}")
    if folder is not None:
        _stays(loaded, folder)
    return wanted or folder or run_directory(loaded)


def _stays(loaded: Loaded, folder: Path) -> None:
    """Raise `ConfigError` if an override would have a run directory's study run in another.

    What its config.yaml says itself is where it lay when that was written.
    """
    changed = loaded.sources.overrides
    named = ("output", "dir") in changed or (("output",) in changed and loaded.config.output.dir is not None)
    if named and run_directory(loaded).resolve() != folder.resolve():
        message = f"{folder} is a run directory; give its config file ({folder / CONFIG}) to run it in another"
        raise ConfigError([loaded.problem("output.dir", message)])


def code_named(loaded: Loaded) -> list[str]:
    """Return the code outside of well-known libraries that running the config imports or starts."""
    from hptune.model import MeasuringModel

    config = loaded.config
    of_data = [] if config.data is None else config.data.imports()
    # What measures itself names its metrics as it likes, with colons too: nothing is imported for them.
    metrics = [] if isinstance(config.model, MeasuringModel) else config.evaluate.imports()
    named = [name for _, name in (*of_data, *config.model.imports(), *metrics)]
    named += oracle_named(loaded)
    return [name for name in dict.fromkeys(named) if name.replace(":", ".").split(".")[0] not in _WELL_KNOWN]


def oracle_named(loaded: Loaded) -> list[str]:
    """Return the config's own oracle (or sampler), which is all that an `ask` imports; [] if it has none."""
    from hptune.oracle import OwnOracle
    from hptune.oracles.halving import Halving

    oracle = loaded.config.oracle
    acting = oracle.sampler if isinstance(oracle, Halving) else oracle
    return [acting.type] if isinstance(acting, OwnOracle) else []


def inspected(
    target: Path, overrides: Sequence[str], allow_import: Sequence[str]
) -> tuple[Loaded, Inspection, list[Problem]]:
    """Return the config, what a worker found out about it, and warnings; raises `ConfigError` with every error."""
    from hptune import compose

    loaded = loaded_from(target, overrides)
    mutter(LOOKING)
    inspection, warnings = compose.inspect(loaded, allow_import=tuple(allow_import))
    return loaded, inspection, warnings


def warn(problems: Iterable[Problem]) -> None:
    """Print problems to stderr, each with the line it stands on."""
    from hptune.config.render import render

    listed = list(problems)
    if listed:
        mutter(render(listed))
