"""`[[measured]]` of the user's config: what is read, what is refused and where, what is written."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from llm_audit.errors import PolicyError
from llm_audit.policy import Measured, Policy
from llm_audit.policy.parts import CacheHits, Turnaround
from llm_audit.policy.recording import entry_text, record

TODAY = date(2026, 11, 22)
SONNET = Measured(
    "anthropic",
    "claude-sonnet-4-5",
    CacheHits(Decimal("0.62"), 48_210),
    Turnaround(2_400, 10_800, 22),
    TODAY,
)
ENTRY = """\
[[measured]]
provider = "anthropic"
model = "claude-sonnet-4-5"
cache_hit_share = 0.62
requests = 48210
turnaround_p90 = "40 min"
turnaround_max = "3 h"
batches = 22
measured_on = 2026-11-22
"""


def read(text: str, name: str = "llm-audit.toml") -> Policy:
    return Policy.parse(text.encode(), name, today=TODAY)


def test_all_keys() -> None:
    assert read(ENTRY).measured == (SONNET,)
    assert read(ENTRY.replace("[[m", "[[tool.llm-audit.m"), "pyproject.toml").measured == (SONNET,)
    assert read("").measured == ()
    assert SONNET.turnaround_sentence == (
        "9 of 10 of your own batches came back within 40 min, the longest took 3 h (22 batches, "
        "measured 2026-11-22)"
    )
    assert SONNET.hits_sentence == (
        "your own batches read 62% of the tokens from the cache that 48,210 logged calls had read "
        "from it (measured 2026-11-22)"
    )


def without(*keys: str) -> str:
    return "".join(f"{line}\n" for line in ENTRY.splitlines() if line.split(" = ")[0] not in keys)


def test_each_half_may_be_left_out() -> None:
    assert read(without("cache_hit_share", "requests")).measured == (replace(SONNET, hits=None),)
    [found] = read(without("turnaround_p90", "turnaround_max", "batches")).measured
    assert found == replace(SONNET, turnaround=None)
    assert found.turnaround_sentence is None


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("model =", "modell =", "line 3", "unknown key `modell`"),
        ('"claude-sonnet-4-5"', "7", "line 3", "`model` must be a text"),
        ('"claude-sonnet-4-5"', '"claude-*"', "line 3", "one name of the price card"),
        ('provider = "anthropic"\n', "", "line 1", "`provider` must be one name"),
        ("0.62", "1.01", "line 4", "`cache_hit_share` cannot be 1.01"),
        ("0.62", "-0.01", "line 4", "`cache_hit_share` cannot be -0.01"),
        ("0.62", "0.625", "line 4", "`cache_hit_share` cannot be 0.625"),
        ("0.62", '"62 %"', "line 4", "needs a number"),
        ("48210", "999", "line 5", "`requests` = 999 is too few to count on"),
        ("48210", "48210.5", "line 5", "`requests` is a whole number"),
        ("requests = 48210\n", "", "line 1", "needs `requests` as well"),
        ('"40 min"', "40", "line 6", "`turnaround_p90` cannot be 40: a time looks like"),
        ('"3 h"', '"39 min"', "line 7", "`turnaround_max` is shorter"),
        ("= 22", "= 19", "line 8", "`batches` = 19 is too few to count on"),
        ("= 22", "= true", "line 8", "`batches` is a whole number"),
        ("2026-11-22", '"today"', "line 9", "`measured_on` is a date"),
        ("measured_on = 2026-11-22\n", "", "line 1", "needs `measured_on`"),
    ],
)
def test_what_is_refused_and_where(old: str, new: str, place: str, said: str) -> None:
    assert old in ENTRY
    with pytest.raises(PolicyError) as error:
        read(ENTRY.replace(old, new, 1))
    assert error.value.message.startswith(f"llm-audit.toml, {place}, [[measured]] 1: ")
    assert said in error.value.message


def test_an_empty_entry_and_a_second_one() -> None:
    keys = ("cache_hit_share", "requests", "turnaround_p90", "turnaround_max", "batches")
    with pytest.raises(PolicyError, match="neither how many cache hits nor how long"):
        read(without(*keys))
    with pytest.raises(PolicyError, match=r"line 10, \[\[measured\]\] 2: .* measured twice"):
        read(ENTRY + ENTRY.replace("claude-sonnet", "Claude-Sonnet"))
    with pytest.raises(PolicyError, match="must be a list of tables"):
        read("[measured]\n")


@pytest.mark.parametrize(("day", "old"), [("2026-05-26", False), ("2026-05-25", True)])
def test_an_old_measurement_counts_and_says_so(day: str, *, old: bool) -> None:
    policy = read(ENTRY.replace("2026-11-22", day))
    assert len(policy.measured) == 1
    said = "llm-audit.toml, line 1, the measurement of anthropic claude-sonnet-4-5 is of"
    assert [warning.startswith(said) for warning in policy.warnings] == [True] * old


# --- writing --------------------------------------------------------------------------------------


FILES = {
    "nothing": b"",
    "comments": b"# ours\n\n[rules]   # hands off\n  V_CANCEL=false\n\n\n",
    "no line end": b"words = false # at the end",
    "windows": b"# ours\r\nwords = false\r\n",
    "byte order mark": b"\xef\xbb\xbfwords = false\n",
    "another model": entry_text(
        replace(SONNET, model="claude-opus-4-8"), "llm-audit.toml"
    ).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_a_new_entry_goes_to_the_end(name: str, tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    path.write_bytes(FILES[name])
    before = Policy.load(path, today=TODAY)
    assert record(path, [SONNET], today=TODAY, note="from a test")
    written = path.read_bytes()
    assert written.startswith(FILES[name])
    assert written.replace(b"\r\n", b"\n").endswith(b"# from a test\n" + ENTRY.encode())
    after = Policy.load(path, today=TODAY)
    assert after == replace(before, measured=(*before.measured, SONNET))
    assert not record(path, [SONNET], today=TODAY, note="from a test")
    assert path.read_bytes() == written
    if name == "windows":
        assert written.count(b"\n") == written.count(b"\r\n")


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    assert record(path, [SONNET], today=TODAY, note="n")
    assert path.read_text() == f"# n\n{ENTRY}"


HAND_WRITTEN = """\
words = false  # names lie

# The big one.
[[ measured ]]   # by hand
measured_on = 2026-06-01   # before the move
model = 'claude-sonnet-4-5'
  requests   =   1_000 # few
provider = "anthropic"
# half
cache_hit_share = 0.5
[[override]]
caller = "x*"
label = "realtime"
because = "b"
by = "me"
[[measured]]
provider = "openai"
model = "gpt-5"
turnaround_p90 = "1 h"
turnaround_max = "90 min"
batches = 20
measured_on = 2026-11-01"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_entry_is_written_anew_where_it_stands(end: str, tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    path.write_bytes(HAND_WRITTEN.replace("\n", end).encode())
    path.chmod(0o640)
    hits = CacheHits(Decimal("0.07"), 1_234)
    gpt = Measured("openai", "gpt-5", hits, None, date(2026, 11, 20))
    assert record(path, [gpt, SONNET], today=TODAY, note="n")
    expected = (
        HAND_WRITTEN.replace("2026-06-01   #", "2026-11-22   #")
        .replace("1_000 # few", "48210 # few")
        .replace(
            "cache_hit_share = 0.5\n",
            'cache_hit_share = 0.62\nturnaround_p90 = "40 min"\nturnaround_max = "3 h"\n'
            "batches = 22\n",
        )
        .replace('turnaround_p90 = "1 h"\nturnaround_max = "90 min"\nbatches = 20\n', "")
        .replace("2026-11-01", "2026-11-20\ncache_hit_share = 0.07\nrequests = 1234\n")
    )
    assert path.read_bytes() == expected.replace("\n", end).encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not record(path, [gpt, SONNET], today=TODAY, note="n")


def test_in_pyproject(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.llm-audit]\nwords = false\n")
    assert record(path, [SONNET], today=TODAY, note="n")
    newer = replace(SONNET, hits=CacheHits(Decimal(1), 50_000))
    assert record(path, [newer], today=TODAY, note="n")
    assert Policy.load(path, today=TODAY).measured == (newer,)
    assert path.read_text().count("[[tool.llm-audit.measured]]") == 1


@pytest.mark.parametrize(
    "text",
    [
        "measured = [{provider = 'anthropic', model = 'claude-sonnet-4-5', cache_hit_share = 0.5, "
        "requests = 1000, measured_on = 2026-11-01}]\n",
        "measured = [\n  {provider = 'anthropic', model = 'claude-sonnet-4-5', "
        "cache_hit_share = 0.5, requests = 1000, measured_on = 2026-11-22},\n]\n",
        "measured = []\n",
    ],
)
def test_what_cannot_be_changed_line_by_line_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "llm-audit.toml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"cannot be written to llm-audit\.toml"):
        record(path, [SONNET], today=TODAY, note="n")
    assert path.read_text() == text
