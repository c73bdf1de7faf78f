"""Answers in the config: exactly this workload, whatever it is called, and nothing else changed."""

from __future__ import annotations

import stat
import tomllib
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_audit.errors import PolicyError
from llm_audit.policy import Override, Policy
from llm_audit.policy.answers import append, entry, tolerance_text
from llm_audit.policy.globs import exact, like_pattern

TODAY = date(2026, 11, 22)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "*?[]\\%_\"'#=\n\r\t\x00\x1b\x7f\u202e\u200b\U0001f469ae\u0301É", max_size=8
)
HOSTILE = [
    '"quoted" \'twice\'', 'line\nbreak\r\n[[override]]\ncaller = "*"', "[*]", "[?]", "[[*]]", "*",
    "?", "a*b?c", "\\*", "\\", "50%_off", "\x00\x1b[31m\x7f", "\u202eevil", "", " padded ",
    "# comment", '"""', "'''", "\U0001f469\u200d\U0001f680", "e\u0301", "é", "CORP\\svc",
    "\u2028", "a\tb",
]  # fmt: skip


def override(caller: str, **changes: object) -> Override:
    values: dict[str, object] = {
        "caller": exact(caller), "workload": "*", "model": exact("gpt-4.1"), "operation": "chat",
        "label": None, "tolerance_s": 86_400.0, "because": "b", "by": "me", "until": None,
    }  # fmt: skip
    return Override(**(values | changes))  # type: ignore[arg-type]


def matches(connection: duckdb.DuckDBPyConnection, glob: str, names: list[str]) -> list[str]:
    """The names that the query of `sql/13_workload_overrides.sql` would find."""
    query = "SELECT unnest(?::VARCHAR[]) AS name"
    rows = connection.execute(
        f"SELECT name FROM ({query}) WHERE name LIKE ? ESCAPE '\\'", [names, like_pattern(glob)]
    ).fetchall()
    return [name for (name,) in rows]


def neighbours(name: str) -> list[str]:
    """Names that a careless pattern would match too."""
    near = {name + "x", "x" + name, name[1:], name[:-1], name.swapcase(), name.strip(), name * 2}
    for special in "*?[]%_\\":
        near |= {name.replace(special, ""), name.replace(special, "x"), name.replace(special, "xy")}
    return sorted(near - {name})


@settings(max_examples=150, deadline=None)
@given(name=NAMES, others=st.lists(NAMES, max_size=5))
@example(name="a*b", others=["a[*]b", "aXb"])
@example(name="[*]", others=["*", "[x]", "[[*]]"])
def test_any_name_loads_and_matches_itself_alone(name: str, others: list[str]) -> None:
    text = entry(override(name, because=name + ".", by=name + "!"), "llm-audit.toml")
    [loaded] = Policy.parse(text.encode(), "llm-audit.toml", today=TODAY).overrides
    assert loaded.caller == exact(name)
    assert loaded.because == (name + ".").strip()
    with duckdb.connect() as connection:
        crowd = [name, *(other for other in others if other != name), *neighbours(name)]
        assert matches(connection, loaded.caller, crowd) == [name]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_written_on_one_visible_line_each(name: str, tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    append(path, [override(name, label="realtime", tolerance_s=None)], today=TODAY, note="n")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "# n", "[[override]]", "caller", "model", "operation", "label", "because", "by",
    ]  # fmt: skip
    assert all(line.isprintable() for line in lines)
    [loaded] = Policy.load(path, today=TODAY).overrides
    assert loaded == override(name, label="realtime", tolerance_s=None)


def test_globs_keep_their_meaning() -> None:
    with duckdb.connect() as connection:
        names = ["svc", "s*c", "s_c", "s[x]c", "s%c"]
        assert matches(connection, "s?c", names) == ["svc", "s*c", "s_c", "s%c"]
        assert matches(connection, "s*c", names) == names
        assert matches(connection, "s[*]c", names) == ["s*c"]
        assert matches(connection, "s[x]c", names) == ["s[x]c"]
        assert matches(connection, "s_c", names) == ["s_c"]


FILES = {
    "empty": b"",
    "comments": b"# ours\n\n[rules]   # hands off\n  V_CANCEL=false\n\n\n",
    "no line end": b"words = false # at the end",
    "windows": b"# ours\r\nwords = false\r\n",
    "byte order mark": b"\xef\xbb\xbfwords = false\n",
    "entries": b"[[override]]\ncaller = 'x*'\nlabel = 'realtime'\nbecause = 'b'\nby = 'c'\n",
    "ends in a table": b"[aliases]\n'a' = 'gpt-4o'\n[[prices]]\nmultiplier = 0.9",
    "ended": b"[[override]]\ncaller='x'\nlabel='realtime'\nbecause='b'\nby='c'\nuntil=2020-01-01\n",
}


@pytest.mark.parametrize("name", FILES)
def test_what_stands_in_the_file_stays_byte_for_byte(name: str, tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    path.write_bytes(FILES[name])
    before = Policy.load(path, today=TODAY)
    added = [override("svc", until=date(2027, 6, 30)), override("api", tolerance_s=5400.0)]
    append(path, added, today=TODAY, note="from a test")
    assert path.read_bytes().startswith(FILES[name])
    assert path.read_bytes().endswith(b"\n")
    after = Policy.load(path, today=TODAY)
    assert after.overrides == (*before.overrides, *added)
    assert after.rules == before.rules
    assert after.words == before.words
    if name == "windows":
        assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")
    assert [file.name for file in tmp_path.iterdir()] == ["llm-audit.toml"]


def test_in_pyproject_the_table_has_its_full_name(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    old = b"[project]\nname = 'x'\n\n[tool.llm-audit]\nwords = false\n\n[tool.other]\na = 1\n"
    path.write_bytes(old)
    append(path, [override("svc")], today=TODAY, note="n")
    assert path.read_bytes().startswith(old)
    assert Policy.load(path, today=TODAY).overrides == (override("svc"),)
    assert tomllib.loads(path.read_text())["tool"]["other"] == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "override = []\n",
        "override = [{ caller = 'x', label = 'realtime', because = 'b', by = 'c' }]\n",
        "words = \n",
        "wrods = false\n",
    ],
)
def test_a_file_that_cannot_be_added_to_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "llm-audit.toml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"llm-audit\.toml") as caught:
        append(path, [override("svc")], today=TODAY, note="n")
    assert caught.value.hint
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["llm-audit.toml"]


def test_an_answer_that_would_not_hold_is_refused(tmp_path: Path) -> None:
    """Its last day is over, so it would be read as no override at all."""
    path = tmp_path / "llm-audit.toml"
    with pytest.raises(PolicyError, match="would not say the same"):
        append(path, [override("svc", until=date(2026, 11, 21))], today=TODAY, note="n")
    assert not path.exists()


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    with pytest.raises(PolicyError) as caught:
        append(path, [override("svc", because="caf\udce9")], today=TODAY, note="n")
    assert caught.value.slug == "config-not-text"
    assert not path.exists()


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    real = tmp_path / "shared" / "policy.toml"
    real.parent.mkdir()
    real.write_text("words = false\n")
    real.chmod(0o640)
    link = tmp_path / "llm-audit.toml"
    link.symlink_to(real)
    append(link, [override("svc")], today=TODAY, note="n")
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert Policy.load(real, today=TODAY).overrides == (override("svc"),)


def test_a_new_file_is_no_more_private_than_any_other(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    path = tmp_path / "llm-audit.toml"
    append(path, [override("svc")], today=TODAY, note="n")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86400.0, "24 h"), (5400.0, "90 min"), (28800.0, "8 h"), (45.0, "45 s"), (0.5, "0.5 s")],
)
def test_tolerances_are_written_exactly(seconds: float, text: str) -> None:
    assert tolerance_text(seconds) == text
    [loaded] = Policy.parse(
        entry(override("svc", tolerance_s=seconds), "llm-audit.toml").encode(), "llm-audit.toml"
    ).overrides
    assert loaded.tolerance_s == seconds
