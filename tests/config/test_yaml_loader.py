"""The bounded YAML 1.2 loader: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hptune.config import yaml_events
from hptune.config.yaml_loader import MOST_NODES, dump, load_text
from hptune.errors import ConfigError, Problem

SCALARS = [
    ("1e-3", 0.001), ("1E5", 100000.0), ("1e+3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-1.5e-3", -0.0015),
    ("0x1F", 31), ("0o17", 15), ("010", 10), ("-010", -10), ("+7", 7), ("0", 0), ("-0", 0), ("007", 7),
    ("no", "no"), ("on", "on"), ("off", "off"), ("yes", "yes"), ("y", "y"), ("No", "No"),
    ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
    ("tRUE", "tRUE"), ("null", None), ("Null", None), ("NULL", None), ("~", None), ("", None), ("nULL", "nULL"),
    ("1_000", "1_000"), ("2026-11-23", "2026-11-23"), ("12:30:45", "12:30:45"), ("1:30", "1:30"),
    ("0b11", "0b11"), ("0X1F", "0X1F"), ("-0x1F", "-0x1F"), ("1e", "1e"), ("e5", "e5"), (".", "."),
    ("1.2.3", "1.2.3"),
    ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("nan", "nan"), ("inf", "inf"),
    ("0" * 500 + "5", 5), ("0.1", 0.1), ("1.e3", 1000.0), ("'1e-3'", "1e-3"), ('"010"', "010"), ('"a\\tb"', "a\tb"),
    ("١٢", "١٢"), ("=", "="),
]  # fmt: skip


@pytest.fixture(params=["libyaml", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers PyYAML has: a wheel brings libyaml, a build from source may not."""
    if request.param == "python":
        monkeypatch.setattr(yaml, "__with_libyaml__", False)
    return str(request.param)


def problem(text: str | bytes) -> Problem:
    """The one problem that `text` has; it must be refused within a second even by the slow parser."""
    with pytest.raises(ConfigError) as caught:
        load_text(text, "x.yaml")
    assert caught.value.problems
    for one in caught.value.problems:
        assert one.file == "x.yaml"
        assert one.line is not None
        assert one.line >= 1
        assert one.column is not None
        assert one.column >= 1
    return caught.value.problems[0]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text[:12] or "empty" for text, _ in SCALARS])
def test_scalars_mean_what_yaml_1_2_says(parser: str, text: str, value: object) -> None:
    found = load_text(f"a: {text}\n", "x.yaml").value["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".inf", "expected a finite number, found .inf"),
        ("-.Inf", "expected a finite number, found -.Inf"),
        (".nan", "expected a finite number, found .nan"),
        ("1e999", "too large"),
        ("9223372036854775808", "at most 64 bits"),
        ("-9223372036854775809", "at most 64 bits"),
        ("0xFFFFFFFFFFFFFFFFFF", "at most 64 bits"),
        ("1" * 5000, "(5000 characters)"),
    ],
)
def test_numbers_that_no_machine_word_holds_are_refused_by_name(parser: str, text: str, words: str) -> None:
    found = problem(f"a:\n  b: {text}\n")
    assert words in found.message
    assert (found.key, found.line, found.column) == ("a.b", 2, 6)


def test_every_key_and_value_has_its_place(parser: str) -> None:
    text = "a: 1\nb:\n  - x\n  - {c: 2,\n     d: [3, 4]}\ne:\n"
    document = load_text(text, "x.yaml")
    assert document.value == {"a": 1, "b": ["x", {"c": 2, "d": [3, 4]}], "e": None}
    assert document.keys[("a",)] == (1, 1)
    assert document.values[("a",)] == (1, 4)
    assert document.values[("b", 0)] == (3, 5)
    assert document.keys[("b", 1, "d")] == (5, 6)
    assert document.values[("b", 1, "d", 1)] == (5, 13)
    assert document.key_place(("b", 1, "d", 1)) == (5, 13)
    assert document.key_place(("b", 1, "nowhere", "at all")) == (4, 5)
    assert document.value_place(()) == (1, 1)
    assert document.key_place(("nowhere",)) == (1, 1)


def test_places_count_characters_not_bytes(parser: str) -> None:
    document = load_text('"ключ🎯": [é, ü]\n'.encode(), "x.yaml")
    assert document.values[("ключ🎯", 1)] == (1, 14)


def test_aliases_give_copies_that_stand_where_the_anchor_is(parser: str) -> None:
    document = load_text("a: &x {k: [1]}\nb: *x\n", "x.yaml")
    assert document.value == {"a": {"k": [1]}, "b": {"k": [1]}}
    document.value["a"]["k"].append(2)
    assert document.value["b"] == {"k": [1]}
    assert document.values[("b",)] == (2, 4)
    assert document.values[("b", "k", 0)] == (1, 12)


def test_a_byte_order_mark_and_windows_line_ends_are_read(parser: str) -> None:
    document = load_text(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "x.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert document.keys[("b",)] == (2, 1)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "%YAML 1.2\n---\n"])
def test_an_empty_document_is_none(parser: str, text: str) -> None:
    assert load_text(text, "x.yaml").value is None


def test_all_problems_of_meaning_are_reported_at_once(parser: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("a: 1\n1: x\na: 2\nb: .nan\n<<: {}\n", "x.yaml")
    assert [str(one) for one in caught.value.problems] == [
        "x.yaml:2: expected text as a key, found 1: write it in quotes",
        "x.yaml:3: a: duplicate key 'a' (first at line 1): keep one",
        "x.yaml:4: b: expected a finite number, found .nan; quote it if it is meant as text",
        "x.yaml:5: <<: merge keys (<<) are not YAML 1.2 and not read: write the keys out, or share them between "
        "configs with 'extends:'",
    ]


def test_the_number_of_reported_problems_is_bounded(parser: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("a: 1\n" * 1000, "x.yaml")
    assert len(caught.value.problems) == 20


# (text, line, column, message)
FAULTS = [
    ("a:\n\tb: 1\n", 2, 1, "expected spaces, found a tab: YAML is indented with spaces only (two a level)"),
    ("a: 1\n\tb: 2\n", 2, 1, "expected spaces, found a tab: YAML is indented with spaces only (two a level)"),
    ("a:1\nb: 2\n", 1, 3, "expected a space after the colon, found a:1: write 'a: 1'"),
    ("a: 1\nb:2\nc: 3\n", 2, 3, "expected a space after the colon, found b:2: write 'b: 2'"),
    ("a: [1, 2\nb: 3\n", 1, 4,
     "expected ',' or ']', found the next key on line 2: the list opened with '[' here is never closed"),
    ("a: {x: 1\nb: 3\n", 1, 4,
     "expected ',' or '}', found the next key on line 2: the mapping opened with '{' here is never closed"),
    ("a: [1, 2", 1, 4,
     "expected ',' or ']', found the end of the file: the list opened with '[' here is never closed"),
    ("a: {x: 1,\n  y\n", 1, 4,
     "expected ',' or '}', found the end of the file: the mapping opened with '{' here is never closed"),
    ("a: [1, ", 1, 6, "expected a value or a closing bracket, found the end of the file"),
    ("a:\n  {b:\n\n", 2, 5, "expected a value or a closing bracket, found the end of the file"),
    ("a: [1 2}", 1, 8, "expected ',' or ']' in the list opened with '[' on line 1, found '}'; "
     "text with , : or brackets in it must stand in quotes"),
    ("a: 'x\nb: 1", 1, 4, "expected a closing ', found the end of the file: the quote opened here is never closed"),
    ('a: "x\nb: 1', 1, 4, 'expected a closing ", found the end of the file: the quote opened here is never closed'),
    ("a: b: c", 1, 5, "expected one value, found a second ': ' in the line: quote the value if the colon belongs to "
     "it, or put the inner key on a line of its own"),
    ("a: 1\n  b: 2", 2, 3, "expected the same indentation as the keys above, found 'b:' after a value that stands "
     "on an earlier line: align the key, or remove that value"),
    ("a:\n  b: 1\n c: 2\n", 3, 2, "expected a key in line with the keys above it: check the indentation"),
    ("b: 1\n- a", 2, 1, "expected a key, found a list item ('- '): a mapping and a list cannot stand on one level"),
    ("- a\nb: 1", 2, 1, "expected a list item ('- ') or a line indented like the one above, found something else: "
     "check the indentation"),
    ("a: @x", 1, 4, "text cannot begin with '@' without quotes: write '@...' in quotes"),
    ("a: `x`", 1, 4, "text cannot begin with a backtick without quotes: write '`...' in quotes"),
    ("a: %x", 1, 4, "text cannot begin with '%' without quotes: write '%...' in quotes"),
    ("a: *.csv", 1, 4, "expected the name of an alias after '*': text that begins with '*' must stand in quotes"),
    ("a: & b", 1, 4, "expected the name of an anchor after '&': text that begins with '&' must stand in quotes"),
    ("a: *b", 1, 4, "*b refers to no anchor above: quote it if it is text"),
    ("a: &b [1, *b]", 1, 11, "*b stands inside what it refers to"),
    ('a: "\\S+"', 1, 5, "\\S is no escape that YAML knows: use single quotes, or write \\\\ for a backslash"),
    ('a: "\\xg1"', 1, 5, "\\x needs the code of a character in hexadecimal (\\x41, \\u00e9, \\U0001f600)"),
    ('a: "x" y', 1, 8, "expected the end of the line after the closing quote, found 'y': quote the whole text "
     "(inside '...' a quote is written '')"),
    ("a: 'it's'", 1, 8, "expected the end of the line after the closing quote, found \"s'\": quote the whole text "
     "(inside '...' a quote is written '')"),
    ("a: [b]]", 1, 7, "found a ']' that closes nothing: remove it"),
    ("a: ]", 1, 4, "expected a value, found ']': quote it if it is meant as text"),
    ("a: - b", 1, 4, "expected a value, found '- ' in the middle of a line: begin the list on the next line, "
     "or write [a, b]"),
    ("a: 1\nb\nc: 2", 2, 1, "expected 'key: value', found 'b', which has no colon"),
    ("a: | x\n b", 1, 6, "expected the end of the line after | or >, found more: begin the text on the next line"),
    ("a: !!python/object:os.system x", 1, 4,
     "tags are not used in a config, found !!python/object:os.system: remove it (quotes make text)"),
    ("a: !!float abc", 1, 4, "tags are not used in a config, found !!float: remove it (quotes make text)"),
    ("a: !!set {x}", 1, 4, "tags are not used in a config, found !!set: remove it (quotes make text)"),
    ("a: !mine [x]", 1, 4, "tags are not used in a config, found !mine: remove it (quotes make text)"),
    ("a: !x!y z", 1, 4,
     "tags (words that begin with '!') are not used in a config: quote the text, or remove the tag"),
    ("%TAG ! tag:x\n---\na", 1, 1, "a line cannot begin with '%', found %TAG ! tag:x: quote the text"),
    ("%YAML 2.0\n---\na", 1, 1, "a line cannot begin with '%', found %YAML 2.0: quote the text"),
    ("--- {a: 1}\n--- {b: 2}\n", 2, 1, "expected one document, found a second ('---'): one file holds one study"),
    ("a: 1\n...\nb: 2", 3, 1, "expected one document, found text after its end ('...' or a stray first line)"),
    ("{a: 1}: b", 1, 1, "expected text as a key, found a mapping: quote it if the brackets are meant as text"),
    ("[a]: b", 1, 1, "expected text as a key, found a list: quote it if the brackets are meant as text"),
    ("a: {{ x }}", 1, 5, "expected text as a key, found a mapping: quote it if the brackets are meant as text"),
    ("true: b", 1, 1, "expected text as a key, found true: write it in quotes"),
    (": b", 1, 1, "expected a key before the ':', found none: quote it if it is meant as text"),
    ("? \n: b", 1, 2, "expected text as a key, found nothing: write it in quotes"),
    ("a: 1\nb: \0", 2, 4, "expected text, found a NUL byte: is this a YAML file, saved as UTF-8?"),
    ("a: \x07", 1, 4, 'expected printable text, found the character U+0007: remove it, or write "\\u0007"'),
    ("a: \u2028x", 1, 4, 'expected printable text, found the character U+2028: remove it, or write "\\u2028"'),
    ("a: \ud800", 1, 4, 'expected printable text, found the character U+D800: remove it, or write "\\ud800"'),
    ('a: "\\0"', 1, 4, "expected text, found an escape for NUL or for half a character (\\ud800)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message"), FAULTS, ids=[repr(one[0])[:30] for one in FAULTS])
def test_a_fault_is_told_with_its_place_and_its_mend(
    parser: str, text: str, line: int, column: int, message: str
) -> None:
    found = problem(text)
    assert (found.line, found.column, found.message) == (line, column, message)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        ("a: 1".encode("utf-16"), 1, "found UTF-16"),
        ("a: 1".encode("utf-32"), 1, "found UTF-32"),
        ("a: 1".encode("utf-16-le"), 1, "NUL byte"),
        (b"a: 1\nb: caf\xe9\n", 2, "found the byte 0xe9"),
        (b"\x89PNG\r\n\x1a\n", 1, "found the byte 0x89"),
        (b"PK\x03\x04", 1, "U+0003"),
        (b'a: "\\ud800"', 1, ""),
        (b'a: "\\UFFFFFFFF"', 1, ""),
        (b"%YAML 1." + b"9" * 5000 + b"\n--- a", 1, ""),
    ],
)
def test_what_is_not_utf_8_text_is_refused_with_a_line(parser: str, data: bytes, line: int, words: str) -> None:
    found = problem(data)
    assert found.line == line
    assert words in found.message


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGE_BOMB = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name}\n  <<: [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE: dict[str, str] = {
    "alias bomb": BOMB,
    "merge bomb": MERGE_BOMB,
    "100,000 open brackets": "[" * 100_000,
    "100,000 open braces": "{" * 100_000,
    "100,000 keys deep": "{a: " * 100_000,
    "2,000 nested block maps": "".join(" " * n + f"k{n}:\n" for n in range(600)),
    "nested block lists": "- " * 50_000 + "x",
    "nested question marks": "? " * 50_000 + "x",
    "10 MB list": "- 1\n" * 2_500_000,
    "10 MB list of maps": "- {a: 1}\n" * 1_100_000,
    "10 MB scalar": "a: " + "x" * 10_000_000,
    "1 MB list": "- 1\n" * 200_000,
    "1 MB flow list": "[" + "1," * 500_000 + "]",
    "1 MB of duplicate keys": "a: 1\n" * 200_000,
    "1 MB open quote": 'a: "' + "x" * 1_000_000,
    "1 MB key": "x" * 1_000_000 + ": 1",
    "1 MB of digits as a key": "9" * 1_000_000 + ": 1",
    "1 MB of digits": "a: " + "9" * 1_000_000,
    "1 MB of tabs": "a:\n" + "\t" * 1_000_000,
    "1 MB of comments, then a fault": "# x\n" * 250_000 + "a: b: c",
    "60,000 tag directives": "".join(f"%TAG !a{n}! x\n" for n in range(50_000)) + "--- a",
    "anchors for ever": "".join(f"- &a{n} 1\n" for n in range(80_000)),
    "aliases grow deep": "a: &a0 [1]\n" + "".join(f"b{n}: &a{n + 1} [*a{n}]\n" for n in range(40)),
    "an alias of itself": "&a [*a]",
    "an alias of itself deep down": "a: &a {b: {c: [*a]}}",
    "an alias as a key": "a: &a {b: 1}\n*a : 2",
    "mutual aliases": "a: &a [*b]\nb: &b [*a]",
    "a document a line": "--- a\n" * 100_000,
    "python object": "a: !!python/object/apply:os.system ['true']",
    "python name": "!!python/name:os.system {}",
    "bad float": "a: !!float abc",
    "bad timestamp": "a: !!timestamp 2026-99-99",
    "bad binary": "a: !!binary ???",
    "5,000 digits": "a: " + "1" * 5_000,
    "5,000 hex digits": "a: 0x" + "f" * 5_000,
    "huge exponent": "a: 1e99999999999",
    "unknown escape": 'a: "\\z"',
    "lone percent": "%",
    "lone exclamation mark": "a: !<",
    "NUL": "a: \0",
    "infinity": "a: .inf",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_quickly_with_a_line(name: str) -> None:
    text = HOSTILE[name]
    best = float("inf")
    for _ in range(3):  # a busy machine slows the processor itself, too
        begin = time.process_time()
        problem(text)
        best = min(best, time.process_time() - begin)
        if best < 0.1:
            break
    assert best < 0.4  # seconds of processor time; the goal is 0.1


@pytest.mark.parametrize("name", [name for name in HOSTILE if len(HOSTILE[name]) < 20_000 or "open b" in name])
def test_a_hostile_file_is_refused_without_libyaml_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    problem(HOSTILE[name])


def test_the_deepest_and_the_longest_config_allowed_are_read(parser: str) -> None:
    assert load_text("[" * 32 + "]" * 32, "x.yaml").value
    assert "32 levels" in problem("[" * 33 + "]" * 33).message
    if parser == "libyaml":
        assert len(load_text("- 1\n" * (MOST_NODES - 1), "x.yaml").value) == MOST_NODES - 1
        assert f"{MOST_NODES} values" in problem("- 1\n" * MOST_NODES).message


CONFIG = (Path(__file__).parent / "full.yaml").read_text(encoding="utf-8")


def mutants(number: int, seed: int, config: str | None = None) -> list[str]:
    """Copies of a config with one to four random edits: characters that mean something in YAML, cuts, swaps and repeats."""
    rng = random.Random(seed)
    pieces = [*"[]{}:-,&*!|>'\"%@`#?~\t\n\\\r\0 \x85\u2028\ud800", ": ", "- ", "<<: ", "!!int ", "---\n", "...\n",
              "\ufeff", "&a ", "*a", "1e999", ".nan", "9" * 30, "\\x", "? ", "%TAG "]  # fmt: skip
    result = []
    for _ in range(number):
        text = CONFIG if config is None else config
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text) + 1)
            length = rng.choice((0, 0, 1, 1, 2, 5, 30))
            move = rng.random()
            if move < 0.6:
                text = text[:at] + rng.choice(pieces) + text[at + length :]
            elif move < 0.8:
                text = text[:at] + text[at + length :]
            else:
                to = rng.randrange(len(text) + 1)
                text = text[:to] + text[at : at + length] + text[to:]
        result.append(text)
    return result


def check_places(error: ConfigError, text: str | bytes) -> None:
    assert error.problems, text
    assert all(one.line and one.column for one in error.problems), text


def survive(texts: list[str]) -> tuple[int, int]:
    """Load every text; the numbers read and refused. Anything but a ConfigError with a line ends the test."""
    read = refused = 0
    for text in texts:
        try:
            load_text(text, "x.yaml")
            read += 1
        except ConfigError as error:
            refused += 1
            check_places(error, text)
    return read, refused


def test_2000_mutants_of_a_config_raise_nothing_but_config_errors() -> None:
    read, refused = survive(mutants(2000, seed=1))
    assert read > 200
    assert refused > 200


def test_200_mutants_raise_nothing_but_config_errors_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    survive(mutants(200, seed=2))


@pytest.mark.slow
def test_20000_mutants_of_a_config_raise_nothing_but_config_errors() -> None:
    survive(mutants(20_000, seed=3))


@given(st.text() | st.text("[]{}:-,&*!|>'\"%@`#?~ab1.\t\n\\ ", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    survive([text])


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_line(data: bytes) -> None:
    try:
        load_text(data, "x.yaml")
    except ConfigError as error:
        check_places(error, data)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.sampled_from(
    [text for text, _ in SCALARS] + ["- a", "a: b", "#", "a #b", " a", "a ", "---", "...", "<<", "!a", "&a", "*a",
                                        "?", "pkg.mod:load"]
)  # fmt: skip
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def same(left: object, right: object) -> bool:
    """Equal, and of equal types all the way down (True is not 1, 1 is not 1.0, -0.0 is not 0.0)."""
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    return type(left) is type(right) and repr(left) == repr(right)


@pytest.mark.parametrize("libyaml", [True, False])
def test_what_is_dumped_is_read_back_exactly(libyaml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", libyaml)

    @given(PLAIN)
    @settings(max_examples=300, deadline=None)
    def law(value: object) -> None:
        text = dump(value)
        assert same(load_text(text, "x.yaml").value, value), text

    law()


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300, deadline=None)
def test_dumped_floats_are_floats_for_yaml_1_1_readers_too(number: float) -> None:
    assert same(yaml.safe_load(dump(number)), number)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, "\0", "\ud800", {"a": [["\0"]]}])
def test_what_could_not_be_read_back_is_not_dumped(value: object) -> None:
    with pytest.raises(ValueError, match="cannot write"):
        dump(value)


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1, 2}}, object(), b"x", {"a": 1j}])
def test_what_is_not_plain_data_is_not_dumped(value: object) -> None:
    with pytest.raises(TypeError):
        dump(value)


def test_nesting_is_dumped_as_deep_as_it_is_read() -> None:
    def nested(depth: int) -> object:
        value: object = 1
        for n in range(depth):
            value = [value] if n % 2 else {"k": value}
        return value

    assert load_text(dump(nested(32)), "x.yaml").value == nested(32)
    with pytest.raises(ValueError, match="deeper than 32"):
        dump(nested(33))
    with pytest.raises(ValueError, match="deeper than 32"):
        dump(nested(34))


def test_a_dump_reads_like_a_hand_written_config() -> None:
    value = {
        "version": 1,
        "model": {"pipeline": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"ridge": {"class": "a.b.C"}}]},
        "space": {"ridge.alpha": {"min": 1e-5, "max": 1000.0}, "kernel": ["rbf", "poly", None, True, "no", "1e-3"]},
        "data": {"function": "pkg.mod:load", "drop": []},
        "note": "two\nlines: # and more",
    }
    assert dump(value) == (
        "version: 1\n"
        "model:\n"
        "  pipeline:\n"
        "    - scale: sklearn.preprocessing.StandardScaler\n"
        "    - ridge:\n"
        "        class: a.b.C\n"
        "space:\n"
        "  ridge.alpha:\n"
        "    min: 1.0e-05\n"
        "    max: 1000.0\n"
        '  kernel: [rbf, poly, null, true, "no", "1e-3"]\n'
        "data:\n"
        "  function: pkg.mod:load\n"
        "  drop: []\n"
        'note: "two\\nlines: # and more"\n'
    )


def test_the_python_parser_is_tested_because_it_is_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert isinstance(yaml_events._parser("a"), yaml_events.PythonParser)
