"""`${NAME}` and `${NAME:-default}` in the values of a config."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hptune.config.yaml_dump import dump
from hptune.config.yaml_loader import load_text
from hptune.errors import ConfigError
from tests.config.helpers import RIDGE, loaded, refused

SET = {"N": "20", "EMPTY": "", "WORD": "no", "PATH_": "/a b", "NOTE": "${N} {x: 1}", "BYTES": "\udcff"}


def value(text: str) -> object:
    return load_text(f"a: {text}\n", "c.yaml", SET).value["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${N}", 20),
        ("${N:-3}", 20),
        ("${NO:-20}", 20),
        ("${NO:-1e-3}", 0.001),
        ("${NO:-true}", True),
        ("${NO:-no}", "no"),  # YAML 1.2
        ("${WORD}", "no"),
        ("${NO:-null}", None),
        ("${NO:-}", None),
        ("${EMPTY}", None),
        ("${EMPTY:-5}", 5),  # as in a shell
        ("${NO:-a b:c}", "a b:c"),
        ("'${N}'", "20"),  # single quotes make text
        ('"${N}"', 20),  # double quotes are needed inside brackets and change nothing
        ('[\'${N}\', "${N}", "x${N}"]', ["20", 20, "x20"]),
        ("x${N}", "x20"),
        ("${N}${N}", "2020"),  # not whole: text
        ("${N} ", 20),
        ("${PATH_}/d-${N}.csv", "/a b/d-20.csv"),
        ("$${N}", "${N}"),
        ("$$${N}", "$${N}"),
        ("$N $5 $ {N} $$", "$N $5 $ {N} $$"),
        ("${NOTE}", "${N} {x: 1}"),  # what comes out is not looked at again
        ("|\n  run ${N}\n", "run 20\n"),
    ],
)
def test_a_value_takes_what_the_environment_says(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_keys_and_comments_are_left_alone() -> None:
    assert load_text("${N}: 1 # ${UNSET}\n", "c.yaml", SET).value == {"${N}": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NO}",
         "expected the environment variable NO, found it unset: set it (NO=... hptune ...), or write ${NO:-default}"),
        ("x-${NO}",
         "expected the environment variable NO, found it unset: set it (NO=... hptune ...), or write ${NO:-default}"),
        ("${}", "expected ${NAME} or ${NAME:-default}, found '${}'; write $${ for a literal ${"),
        ("${N-3}", "expected ${NAME} or ${NAME:-default}, found '${N-3}'; write $${ for a literal ${"),
        ("${1}", "expected ${NAME} or ${NAME:-default}, found '${1}'; write $${ for a literal ${"),
        ("${N",
         "expected ${NAME} or ${NAME:-default}, found '${N', which has no closing brace; write $${ for a literal ${"),
        ("${N:-${WORD}}",
         "expected no braces inside ${...}, found '${N:-${WORD}': defaults do not nest and hold no braces"),
        ("${BYTES}", "expected UTF-8 text in the environment variable BYTES, found other bytes"),
        ("${NO:-.nan}", "expected a finite number, found .nan; quote it if it is meant as text"),
    ],
)  # fmt: skip
def test_what_cannot_be_replaced_is_refused_with_its_line_and_the_mend(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"b: 1\na: {text}\n", "c.yaml", SET)
    assert str(caught.value) == f"c.yaml:2: a: {message}"


def test_inside_brackets_quotes_are_asked_for() -> None:
    with pytest.raises(ConfigError, match=r'c.yaml:1: expected quotes around .* write "\$\{NAME\}"'):
        load_text("a: {b: ${N:-20}}\n", "c.yaml", SET)


def test_a_wrong_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIALS", "many")
    assert refused(RIDGE + "budget:\n  trials: ${TRIALS:-20}\n") == [
        "c.yaml:4: budget.trials: expected a whole number, found 'many' (from ${TRIALS:-20})"
    ]


def test_the_resolved_config_holds_what_was_substituted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPHA", "2.5")
    text = RIDGE + "space: {alpha: '${ALPHA}'}\nbudget: {trials: \"${TRIALS_:-12}\"}\noutput: {dir: '$${HOME}/x'}\n"
    found = loaded(text.replace("'${ALPHA}'", '"${ALPHA}"'))
    assert found.resolved["space"] == {"alpha": 2.5}
    assert found.resolved["budget"]["trials"] == 12
    assert found.resolved["output"]["dir"] == "${HOME}/x"
    again = loaded(dump(found.resolved))
    assert again.resolved == found.resolved


def test_an_override_is_substituted_too() -> None:
    assert loaded(RIDGE, ["budget.trials=${NOT_SET_:-4}"]).config.budget.trials == 4
    assert refused(RIDGE, ["seed=${NOT_SET_}"])[0].startswith(
        "-o seed=${NOT_SET_}: seed: expected the environment variable"
    )


@given(st.text(alphabet="$${}:-N a", max_size=12))
def test_any_text_survives_being_dumped_and_read(text: str) -> None:
    assert load_text(dump({"a": text, "b": [text]}), "c.yaml", SET).value == {"a": text, "b": [text]}


@given(st.text(alphabet="${}:-NXa1 _", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        load_text("a: '" + text + "'", "c.yaml", SET)
