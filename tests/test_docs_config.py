"""docs/config.md: what its configs do is what the page says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from hptune import cli
from hptune.commands._shared import read_study
from hptune.config.load import load
from hptune.config.space_entries import OPTIONS
from hptune.cv import CV
from hptune.data.synthetic import KINDS, Generated
from hptune.spec import Spec

PAGE = Path(__file__).resolve().parent.parent / "docs" / "config.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
CONDITIONS = next(text for text in BLOCKS if "when:" in text)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith(("| `", "| each"))
]
EXAMPLES = [(row[0].strip("`"), row[1]) for row in ROWS if row[0].startswith("`{type")]
WEIGHTS = [text for text in BLOCKS if "class_weight" in text]


def test_conditions_and_constraints_hold_in_every_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(CONDITIONS)
    assert load("study.yaml").warnings == ()
    options = ["-o", "executor={type: serial}", "-o", "evaluate={cv: 2}", "-o", "oracle={type: random}"]
    assert cli.invoke(["run", "study.yaml", "-q", "--dir", "run", "--trials", "30", *options]) == 0
    found = [trial.values for trial in read_study(Path("run")).trials]
    assert {values["kernel"] for values in found} == {"rbf", "poly", "linear"}
    for values in found:
        poly = values["kernel"] == "poly"
        assert ("gamma" in values) == (values["kernel"] in ("rbf", "poly"))
        assert ("degree" in values) == poly
        assert ("coef0" in values) == (poly and values["degree"] >= 3)
        assert not (poly and values["C"] > 10)
        assert not poly or values["degree"] <= 4 or values["C"] < 1


@pytest.mark.parametrize("text", WEIGHTS, ids=["params", "space"])
def test_weights_by_class_are_read_as_shown(text: str, tmp_path: Path) -> None:
    model = "" if "model:" in text else "model: {class: sklearn.linear_model.LogisticRegression}\n"
    (tmp_path / "c.yaml").write_text(textwrap.dedent(text) + model + "data: {train: 'sklearn:load_iris'}\n")
    config = load(tmp_path / "c.yaml")
    if model:
        assert config.space["class_weight"].values[2] == {"0": 1, "1": 5}  # type: ignore[attr-defined]
    else:
        assert config.config.model.params == {"class_weight": {"low": 1, "mid": 5, "high": 2}}  # type: ignore[attr-defined]


def told(name: str) -> list[str]:
    """Return the options that the table's row `name` lists, each with what is in brackets behind it."""
    (row,) = [row for row in ROWS if row[0].strip("`") == name]
    return re.findall(r"`\w+`(?: \([^;:]*?\)(?=[,:;]|$))?", row[2])


def options(kind: type[Spec], without: set[str]) -> set[str]:
    """Return the options of a spec by the names that a config uses, with their defaults in brackets."""
    out = set()
    for name, field in kind.model_fields.items():
        if name not in without:
            default = str(field.default).lower() if isinstance(field.default, bool) else field.default
            out.add(f"`{field.alias or name}`" + ("" if field.is_required() else f" ({default})"))
    return out


@pytest.mark.parametrize("kind", OPTIONS)
def test_the_table_of_types_lists_their_keys(kind: str) -> None:
    assert told(kind) == [f"`{key}`" for key in OPTIONS[kind]]


@pytest.mark.parametrize(("entry", "meaning"), EXAMPLES, ids=[entry for entry, _ in EXAMPLES])
def test_every_example_of_an_entry_is_one(entry: str, meaning: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(f"space: {{x: {entry}}}\nevaluate: {{direction: minimize}}\n")
    found = load(tmp_path / "c.yaml").space["x"]
    if re.fullmatch(r"[\d., ]+", meaning):  # a grid, written out
        assert list(found.listed(None)) == [float(number) for number in meaning.split(", ")]


def test_every_scale_has_an_example() -> None:
    text = " ".join(entry for entry, _ in EXAMPLES)
    for word in ("scale: log", "scale: reverse_log", "step:", "factor:", "extra:", "ordered:", "weights:"):
        assert word in text


@pytest.mark.parametrize("kind", CV)
def test_the_table_of_cross_validations_lists_their_options(kind: str) -> None:
    bare = {one.split(" (")[0] for one in told(kind)}
    assert bare == {one.split(" (")[0] for one in options(CV[kind], {"type"})}
    (row,) = [row for row in ROWS if row[0] == f"`{kind}`"]
    for one in options(CV[kind], {"type"}) - {"`test_size` (None)"}:
        assert one.removesuffix(")") in row[2], one


def test_the_table_of_made_up_data_lists_its_options() -> None:
    assert set(told("each of them")) == options(Generated, {"kind"})
    for kind in KINDS:
        assert set(told(kind)) == options(KINDS[kind], set(Generated.model_fields)), kind
