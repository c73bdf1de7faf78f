"""What the user's llm-audit.toml may say, and how wrong words are answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from llm_audit.errors import PolicyError
from llm_audit.policy import Policy, duration_text, evidence_parts, find_config

TODAY = date(2026, 11, 20)
RULE = """
[[rule]]
code = "OWN"
criterion = "storage"
weight = 1.0
when = '''{when}'''
evidence = "{evidence}"
why = "ours"
"""


def load(folder: Path, text: str) -> Policy:
    path = folder / "llm-audit.toml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path, today=TODAY)


def refusal(folder: Path, text: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load(folder, text)
    return caught.value


def rule(when: str, evidence: str = "so it is") -> str:
    return RULE.format(when=when, evidence=evidence)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Policy.load()


def test_words_rules_and_thresholds(tmp_path: Path) -> None:
    policy = load(
        tmp_path,
        "words = false\n[rules]\nV_CANCEL = false\nP_RUN_100 = 0.25\n[thresholds]\nhinted = 3\n",
    )
    weights = {rule.code: rule.weight for rule in policy.rules}
    assert policy.words == {}
    assert "V_CANCEL" not in weights
    assert weights["P_RUN_100"] == 0.25
    assert policy.thresholds.hinted == 3.0


def test_own_rules_come_after_the_packaged_ones(tmp_path: Path) -> None:
    policy = load(tmp_path, rule("caller = 'etl' and share_streaming < 0.1  -- ours"))
    assert policy.rules[-1].code == "OWN"
    assert "--" not in policy.rules[-1].when


@pytest.mark.parametrize(
    ("when", "part"),
    [
        ("(SELECT 1) > 0", "subquery is not allowed"),
        ("calls IN (SELECT 1)", "subquery is not allowed"),
        ("read_text('secrets') > ''", "read_text is not allowed"),
        ("sum(calls) > 1", "sum is not allowed"),
        ("getenv('HOME') = 'x'", "getenv is not allowed"),
        ("calls > 1; DROP TABLE calls", "syntax error"),
        ("calls >", "syntax error"),
        ("calls > 1, calls > 2", "row is not allowed"),
        ("calls > 1) FROM signals --", "syntax error"),
        ("calls", "not a yes-or-no"),
        ("calls > 'many'", "does not fit the signals"),
        ("row_number() OVER () = 1", "row_number is not allowed"),
        ("calls > $1", "not allowed"),
    ],
)
def test_only_plain_expressions_over_signals(tmp_path: Path, when: str, part: str) -> None:
    error = refusal(tmp_path, rule(when))
    assert part in error.message
    assert "llm-audit.toml, rule OWN" in error.message


def test_an_expression_cannot_close_its_bracket(tmp_path: Path) -> None:
    """`a) OR (b` parses inside brackets; it is printed anew as one bracketed expression."""
    policy = load(tmp_path, rule("calls > 1) OR (calls < 0"))
    assert policy.rules[-1].when == "((calls > 1) OR (calls < 0))"


def test_unknown_signal_names_the_nearest_and_the_position(tmp_path: Path) -> None:
    error = refusal(tmp_path, rule("calls > 5 and share_streamin > 0.5"))
    assert "position 15" in error.message
    assert error.hint == "did you mean `share_streaming`?"
    assert "evidence" in refusal(tmp_path, rule("calls > 1", "{share_streamin}")).message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("overide = []", "did you mean `override`?"),
        ("[rules]\nV_CANCELS = false", "did you mean `V_CANCEL`?"),
        ("[thresholds]\nhint = 2", "did you mean `hinted`?"),
        ("[[override]]\ncaler = 'x'", "did you mean `caller`?"),
        (
            "[[override]]\ncaller='x'\nlabel='batch'\nbecause='b'\nby='me'",
            "did you mean `batch_eligible`?",
        ),
    ],
)
def test_wrong_names_get_the_nearest(tmp_path: Path, text: str, hint: str) -> None:
    assert refusal(tmp_path, text).hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "words = 'no'",
        "rules = 3",
        "override = 3",
        "[rules]\nV_CANCEL = 2.0",
        "[rules]\nP_RUN_100 = 'high'",
        "[rules]\nP_RUN_100 = nan",
        "[thresholds]\ncontradicted = 1",
        "[[override]]\nlabel = 'realtime'\nbecause='b'\nby='me'",
        "[[override]]\ncaller='x'\nbecause='b'\nby='me'",
        "[[override]]\ncaller='x'\nlabel='realtime'\ntolerance='1 h'\nbecause='b'\nby='me'",
        "[[override]]\ncaller='x'\nlabel='realtime'",
        "[[override]]\ncaller='x'\ntolerance='soon'\nbecause='b'\nby='me'",
        "[[override]]\ncaller='x'\nlabel='realtime'\nbecause='b'\nby='me'\nuntil='later'",
        "[[prices]]\nprovider='openai'\nmultiplier=-1",
        "not toml",
        RULE.format(when="calls > 1", evidence="x").replace("OWN", "V_CANCEL"),
        RULE.format(when="calls > 1", evidence="x") + "veto = true",
        RULE.format(when="calls > 1", evidence="{calls} {calls} {calls} {calls}"),
        RULE.format(when="calls > 1", evidence="").replace("storage", "speed"),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)
    assert error.slug
    assert "llm-audit.toml" in error.message


def test_own_rows_are_run(tmp_path: Path) -> None:
    passing = rule("calls > 1") + "tests = [{ calls = 2, expect = true }, { expect = false }]"
    assert load(tmp_path, passing).rules[-1].code == "OWN"
    for row in ("{ calls = 2, expect = false }", "{ call = 2, expect = true }", "{ calls = 2 }"):
        error = refusal(tmp_path, rule("calls > 1") + f"tests = [{row}]")
        assert "test 1" in error.message


def test_too_many_rules(tmp_path: Path) -> None:
    text = "".join(rule("calls > 1").replace("OWN", f"OWN_{n}") for n in range(40))
    assert refusal(tmp_path, text).slug == "too-many-rules"


def test_overrides_end(tmp_path: Path) -> None:
    entry = "[[override]]\ncaller='{}'\ntolerance='24 h'\nbecause='b'\nby='me'\nuntil={}\n"
    policy = load(tmp_path, entry.format("old", "2026-11-19") + entry.format("new", "2026-11-20"))
    assert [override.caller for override in policy.overrides] == ["new"]
    assert policy.overrides[0].tolerance_s == 86400.0
    assert "ended on 2026-11-19" in policy.warnings[0]


def test_price_multipliers(tmp_path: Path) -> None:
    policy = load(tmp_path, "[[prices]]\nprovider='openai'\nmodel='gpt-4*'\nmultiplier=0.85\n")
    [price] = policy.price_multipliers
    assert (price.provider, price.model, price.tier, price.multiplier) == (
        "openai",
        "gpt-4*",
        "",
        0.85,
    )


def test_config_in_pyproject(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert find_config(tmp_path) is None
    project.write_text("[tool.llm-audit]\nwords = false\n", encoding="utf-8")
    assert find_config(tmp_path) == project
    assert Policy.load(project).words == {}
    own = tmp_path / "llm-audit.toml"
    own.write_text("", encoding="utf-8")
    assert find_config(tmp_path) == own


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.toml"):
        Policy.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45.0, "45 s"), (90.0, "90 s"), (900.0, "15 min"), (3600.0, "1 h"), (129600.0, "36 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_evidence_parts() -> None:
    assert evidence_parts("a {calls} b") == (["a ", " b", "", ""], ["calls", None, None])
