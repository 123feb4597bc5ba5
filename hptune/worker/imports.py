"""Imports what a config names, if the user gave leave to.

Estimator classes of scikit-learn, XGBoost, LightGBM, CatBoost and imbalanced-learn need no leave. Anything else must
lie in the config's own folder or begin with a prefix that the *user* named (`--allow-import`); whether it may be
imported is decided before anything of it runs.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from hptune.collecting import no_collecting
from hptune.dataset import bad
from hptune.errors import Interrupted, did_you_mean
from hptune.worker.bytecode import imported
from hptune.worker.child_state import lasting

TRUSTED: tuple[str, ...] = ("sklearn", "xgboost", "lightgbm", "catboost", "imblearn")
UFUNCS: tuple[str, ...] = ("numpy", "scipy")
"""Packages whose ufuncs (numpy.log1p, scipy.special.expit) need no leave: arithmetic, number by number."""
FUNCTIONS: tuple[str, ...] = ("sklearn.feature_selection.", "sklearn.metrics.")
"""Where scikit-learn's functions of arrays stand that are parameters' values (f_classif, mutual_info_regression)."""
_INSTALL = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}


class Importer:
    """Returns the objects that dotted names stand for. `folder` is the config's, `allow` the prefixes given leave.

    With `own` false the folder is not the config's own (its `base:` points elsewhere): then what lies in it needs
    leave too; `base` is what that key says. The folder is put first on `sys.path`, as Python does for a script, once a
    name is to be imported that is not of the trusted packages: what lies beside a config that names no code is never run.
    """

    def __init__(self, folder: str, allow: Iterable[str] = (), own: bool = True, base: str = "") -> None:
        self.folder = Path(folder).resolve()
        self.base = base
        self.allow = tuple(allow)
        self.own = own
        self._found: dict[tuple[str, str], Any] = {}
        importlib.invalidate_caches()  # in a long-lived process the folder's files may be newer than the caches

    def __call__(self, name: str, *, key: str = "", wanted: str = "class") -> Any:
        """Return the object called `name` (`package.module.Name` or `package.module:name`).

        `wanted` is "class" (an estimator class), "metric", "function" or "oracle" (anything callable). Raises
        `ConfigError` at `key` for a name without leave, one that does not exist, or one that is not what is wanted.
        """
        if (name, wanted) not in self._found:
            self._found[name, wanted] = self._resolved(name, key, wanted)
        return self._found[name, wanted]

    def _resolved(self, name: str, key: str, wanted: str) -> Any:
        path = name.replace(":", ".")
        self._check_leave(name, path, key, wanted)
        if not self._is_installed(path.split(".")[0], wanted) and sys.path[:1] != [str(self.folder)]:
            sys.path.insert(0, str(self.folder))
        module, attributes = self._module(name, path, key)
        found: Any = module
        for number, attribute in enumerate(attributes):
            if not hasattr(found, attribute):
                where = ".".join([module.__name__, *attributes[:number]])
                near = did_you_mean(attribute, _members(found, wanted)) if not attribute.startswith("_") else ""
                raise bad(key, f"{where} has no {attribute!r}{near}")
            found = getattr(found, attribute)
        self._check_kind(found, name, path, key, wanted)
        return found

    # -- leave ------------------------------------------------------------------------------------------------------

    def _check_leave(self, name: str, path: str, key: str, wanted: str) -> None:
        top = path.split(".")[0]
        if self._is_installed(top, wanted):
            return  # of numpy and scipy what is found must be a ufunc
        if self._allowed(path) or (self.own and self._in_folder(top)):
            return
        near = did_you_mean(top, [*TRUSTED, *self._local()])
        if self.base and not near and not self._in_folder(top):
            raise bad(
                key,
                f"there is no {top}.py in {self.folder}, where `base: {self.base}` leads: if the config was moved or "
                f"copied, name there the folder of its code; to import {top} from elsewhere: --allow-import {top}",
            )
        raise bad(
            key,
            f"{name} is neither in the config's folder ({self.folder}) nor in {', '.join(TRUSTED)}"
            f"{near or f'; if you trust it, give leave to import it: --allow-import {top}'}",
        )

    def _is_installed(self, top: str, wanted: str) -> bool:
        """Return whether a name is of the packages that need no leave, and so no file of the config's folder."""
        return top in TRUSTED or (wanted == "function" and self._is_ufuncs(top))

    def _allowed(self, path: str) -> bool:
        return any(path == prefix or path.startswith(prefix.rstrip(".") + ".") for prefix in self.allow)

    def _is_ufuncs(self, top: str) -> bool:
        """Return whether a package is one whose ufuncs are trusted, not something in the folder under its name."""
        return top in UFUNCS and not self._in_folder(top)

    def _in_folder(self, top: str) -> bool:
        place = self.folder / top
        return place.with_name(f"{top}.py").is_file() or place.is_dir()

    def _local(self) -> list[str]:
        return [one.stem for one in self.folder.glob("*.py")] if self.folder.is_dir() else []

    # -- importing --------------------------------------------------------------------------------------------------

    def _module(self, name: str, path: str, key: str) -> tuple[ModuleType, list[str]]:
        """Return the module a name begins with and the attributes that follow."""
        if ":" in name:
            wanted = name.partition(":")[0]
            module = self._import(wanted, key)
            if module is None:
                raise bad(key, _no_module(wanted))
            return module, name.partition(":")[2].split(".")
        parts = path.split(".")
        for length in range(len(parts) - 1, 0, -1):
            module = self._import(".".join(parts[:length]), key)
            if module is not None:
                rest = parts[length:]
                # sklearn.linear_mode.Ridge: the fault is in the module's name, not in a missing attribute of sklearn.
                if len(rest) > 1 and hasattr(module, "__path__") and not hasattr(module, rest[0]):
                    raise bad(key, _no_module(".".join(parts[: length + 1])))
                return module, rest
        raise bad(key, _no_module(parts[0]))

    def _import(self, module: str, key: str) -> ModuleType | None:
        """Return a module, None if there is no such one; whatever it raises becomes the error."""
        try:
            with no_collecting(), lasting():
                found = imported(module)
        except ModuleNotFoundError as error:
            if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
                return None
            raise bad(key, f"importing {module} failed: {error}{_where(error)}") from error
        except (KeyboardInterrupt, Interrupted):
            raise
        except BaseException as error:  # importing runs the module's code, which may raise or exit
            raise bad(key, f"importing {module} failed: {type(error).__name__}: {error}{_where(error)}") from error
        self._check_place(module, found, key)
        return found

    def _check_place(self, name: str, module: ModuleType, key: str) -> None:
        """Refuse a module that came from elsewhere under a name in the config's folder."""
        top = name.split(".")[0]
        origin = getattr(module, "__file__", None)
        if top in TRUSTED or self._is_ufuncs(top) or self._allowed(name) or origin is None:
            return
        if not Path(origin).resolve().is_relative_to(self.folder):
            raise bad(
                key,
                f"{name} was found at {origin}, not in the config's folder {self.folder}: rename the file there, or "
                f"give leave: --allow-import {top}",
            )

    # -- what was found ---------------------------------------------------------------------------------------------

    def _check_kind(self, found: Any, name: str, path: str, key: str, wanted: str) -> None:
        if wanted == "class":
            if not isinstance(found, type) or not (hasattr(found, "fit") and hasattr(found, "get_params")):
                raise bad(
                    key, f"expected an estimator class (with fit and get_params), {name} is {_described(found)}"
                )
        elif not callable(found):
            raise bad(key, f"expected {'an' if wanted == 'oracle' else 'a'} {wanted}, {name} is {_described(found)}")
        top = path.split(".")[0]
        if self._allowed(path):
            return
        if self._is_ufuncs(top) and type(found).__name__ != "ufunc":
            raise bad(key, f"{name} is no ufunc such as numpy.log1p; if you trust it: --allow-import {top}")
        if top not in TRUSTED:
            return
        # Leave for scikit-learn is leave for its estimators, not for all that can be reached through its modules.
        home = str(getattr(found, "__module__", ""))
        scorer = wanted == "metric" and home.startswith("sklearn.metrics")
        function = wanted == "function" and not isinstance(found, type) and f"{home}.".startswith(FUNCTIONS)
        if home.split(".")[0] not in TRUSTED or not (wanted == "class" or scorer or function):
            raise bad(key, f"{name} is no estimator class of {top}; if you trust it: --allow-import {top}")


def _described(found: Any) -> str:
    if isinstance(found, type):
        return "another class"
    if isinstance(found, ModuleType):
        return "a module"
    return f"of type {type(found).__name__}"


def _where(error: BaseException) -> str:
    """Return the file and line that raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _members(found: Any, wanted: str) -> list[str]:
    names = [name for name in dir(found) if not name.startswith("_")]
    if wanted != "class" or not isinstance(found, ModuleType):
        return names
    return [name for name in names if inspect.isclass(getattr(found, name, None))] or names


def _no_module(module: str) -> str:
    parent, _, last = module.rpartition(".")
    if not parent:
        install = f"; it is not installed (python -m pip install {_INSTALL.get(module, module)})"
        return f"there is no module {module!r}{install if module in TRUSTED else ''}"
    found = sys.modules.get(parent)
    siblings = [one.name for one in pkgutil.iter_modules(getattr(found, "__path__", []))]
    return (
        f"{parent} has no module {last!r}{did_you_mean(last, [one for one in siblings if not one.startswith('_')])}"
    )
