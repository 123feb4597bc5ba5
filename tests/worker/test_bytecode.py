"""Compiled modules that a full disk cut off are compiled anew, wherever they are cut."""

from __future__ import annotations

import importlib
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from hptune.errors import ConfigError
from hptune.worker.bytecode import imported, with_whole_cache
from hptune.worker.imports import Importer

NAMES = ("cached_outer", "cached_inner")


def forget() -> None:
    for name in NAMES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The compiled files of a module and of one that it imports."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "cached_inner.py").write_text(
        "class Kept:\n    def __init__(self):\n        self.value = [1, 2.5, 'x']\n"
    )
    (tmp_path / "cached_outer.py").write_text(
        "from cached_inner import Kept\n\ndef f(values):\n    return Kept().value\n"
    )
    yield [Path(py_compile.compile(str(tmp_path / f"{name}.py"), doraise=True)) for name in NAMES]
    forget()


def test_a_module_is_imported_wherever_its_cache_and_that_of_what_it_imports_are_cut(cached: list[Path]) -> None:
    whole = [path.read_bytes() for path in cached]
    failed = 0
    for length in range(max(map(len, whole))):
        for path, content in zip(cached, whole, strict=True):
            path.write_bytes(content[:length])
        forget()
        try:
            importlib.import_module(NAMES[0])
        except EOFError:
            failed += 1
        forget()
        assert imported(NAMES[0]).f({}) == [1, 2.5, "x"], length
    assert failed > 100, "else this tests nothing"
    assert [path.read_bytes() for path in cached] == whole, "what was cut off is whole again, for other programs too"


def test_a_config_s_code_is_found_and_a_kept_object_loads(cached: list[Path], tmp_path: Path) -> None:
    kept = tmp_path / "kept.joblib"
    joblib.dump(imported(NAMES[1]).Kept(), kept)
    for path in cached:
        path.write_bytes(path.read_bytes()[:60])
    forget()
    assert Importer(str(tmp_path))("cached_outer:f", wanted="function")({}) == [1, 2.5, "x"]
    cached[1].write_bytes(cached[1].read_bytes()[:60])
    forget()
    assert with_whole_cache(lambda: joblib.load(kept)).value == [1, 2.5, "x"]


def test_one_that_cannot_be_deleted_is_named(cached: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    cached[0].write_bytes(cached[0].read_bytes()[:60])

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ConfigError, match=rf"{cached[0]} is cut off; deleting it failed \(Permission denied\)"):
        Importer(str(cached[0].parent.parent))("cached_outer:f", wanted="function")


@pytest.mark.parametrize("raised", [EOFError, ValueError, TypeError])
def test_what_a_module_raises_itself_is_raised_after_one_try(
    tmp_path: Path, cached: list[Path], raised: type
) -> None:
    tries = []

    def importing() -> None:
        tries.append(1)
        raise raised("of its own")

    with pytest.raises(raised, match="of its own"):
        with_whole_cache(importing)
    (tmp_path / "cached_outer.py").write_text("compile('\\0', 'x', 'exec')\n")
    with pytest.raises((ValueError, SyntaxError), match="null bytes"):
        imported(NAMES[0])
    assert tries == [1]
    assert cached[1].exists()
