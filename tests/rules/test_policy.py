"""What the user's llm-audit.toml may say, and how wrong words are answered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from llm_audit.errors import PolicyError
from llm_audit.policy import (
    Policy,
    UserPrice,
    duration_text,
    evidence_parts,
    find_config,
    hidden_config,
)
from llm_audit.policy.parts import PRICE_KINDS
from llm_audit.prices.records import TOKEN_KINDS

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
    ("when", "place"),
    [
        ("   calls > 1 and foo = 2", "position 18"),
        ("caller = 'éé' and foo = 2", "position 19"),
        ("caller = 'éé' and >", "position 19"),
        ("calls > 1 and\n  share_streamin > 2", "line 2, position 3"),
        ("calls >", "position 8"),
        ("calls > 'many'", "position 9"),
        ("caller = 'é' and calls = 'many'", "position 18"),
        ("calls > 1 or (calls + 1) = 'many'", "position 28"),
        ("calls > 1 and\n abs(caller) = 2", "line 2, position 2"),
        ("calls > 1 and sum(calls) > 1", "position 15"),
        ("calls", "position 1"),
        ("calls > 1) UNION SELECT (calls > 2", "position 1"),
    ],
)
def test_a_bad_expression_is_shown_where_it_is_bad(tmp_path: Path, when: str, place: str) -> None:
    """Counted in characters, as an editor does, from the first one of the text in quotes."""
    error = refusal(tmp_path, rule(when))
    assert error.message.startswith(f"llm-audit.toml, rule OWN, {place} of `when`: ")
    assert error.hint


@pytest.mark.parametrize(
    "when",
    [
        "calls > 1) UNION SELECT (calls > 2",
        "calls > 1); SELECT (1 = 1",
        "calls > 1) FROM (SELECT 1",
        "calls > 1) WHERE (1 = 1",
        "calls > 1) GROUP BY (1",
        "calls > 1) ORDER BY (1",
        "calls > 1) LIMIT (1",
    ],
)
def test_an_expression_is_not_a_query(tmp_path: Path, when: str) -> None:
    assert "must be one expression" in refusal(tmp_path, rule(when)).message


def test_a_comparison_that_others_would_hide_is_tried_alone(tmp_path: Path) -> None:
    """`and` stops at the first false side; on other rows of a report it would not."""
    error = refusal(tmp_path, rule("caller = 'x' and calls = 'many'"))
    assert "`calls = 'many'` does not fit the signals" in error.message
    load(tmp_path, rule("caller = 'x' and (calls = 1 or not (share_streaming between 0.1 and 1))"))


def test_the_case_of_a_name_is_mended(tmp_path: Path) -> None:
    assert refusal(tmp_path, rule("CALLS > 1")).hint == "did you mean `calls`?"
    assert refusal(tmp_path, "[rules]\nv_cancel = false").hint == "did you mean `V_CANCEL`?"


def test_a_wrong_override_is_counted(tmp_path: Path) -> None:
    good = "[[override]]\ncaller='x'\nlabel='realtime'\nbecause='b'\nby='me'\n"
    error = refusal(tmp_path, good * 2 + good.replace("by='me'", "by=' '"))
    assert "[[override]] 3: `by` must say" in error.message


def test_declared_tolerances_per_caller(tmp_path: Path) -> None:
    """There is no table of tolerances: each is an override, signed like any other."""
    entry = "[[override]]\ncaller = '{}'\ntolerance = '{}'\nbecause = 'b'\nby = 'me'\n"
    policy = load(
        tmp_path,
        entry.format("etl-*", "7 d") + entry.format("web", "30 s") + entry.format("[*]", "90 min"),
    )
    assert [(o.caller, o.tolerance_s) for o in policy.overrides] == [
        ("etl-*", 604_800.0),
        ("web", 30.0),
        ("[*]", 5_400.0),
    ]
    assert policy.overrides[0].sentence == "the owner allows 168 h for a result: b (me)"


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
    text = "".join(rule("calls > 1").replace("OWN", f"OWN_{n}") for n in range(80))
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


RATES = "[[prices]]\nprovider='openai'\nmodel='gpt-4.1'\n"


def test_own_rates(tmp_path: Path) -> None:
    text = (
        RATES
        + "surface='azure'\ntier='batch'\nfrom=2026-01-01\nto='2026-07-01'\n"
        + "input=0.1\noutput='7.654321'\ncache_write_1h=3\nbecause='contract 7'\n"
        + "[[prices]]\nmultiplier=0.9\ntier='batch'\n"
        + RATES
        + "audio_output = 12.5\n"
    )
    policy = load(tmp_path, text)
    dated, plain = policy.user_prices
    assert dated == UserPrice(
        provider="openai",
        surface="azure",
        model="gpt-4.1",
        tier="batch",
        effective_from=date(2026, 1, 1),
        effective_to=date(2026, 7, 1),
        rates={
            "input": Decimal("0.1"),
            "cache_write_1h": Decimal(3),
            "output": Decimal("7.654321"),
        },
        because="contract 7",
    )
    assert (plain.surface, plain.tier, plain.effective_from) == ("first_party", "standard", None)
    assert plain.effective_to is None
    assert plain.rates == {"audio_output": Decimal("12.5")}
    assert [m.tier for m in policy.price_multipliers] == ["batch"]


def test_a_rate_may_be_given_for_every_kind_of_the_price_data() -> None:
    assert PRICE_KINDS == TOKEN_KINDS


def test_own_rates_that_follow_each_other_do_not_overlap(tmp_path: Path) -> None:
    first = RATES + "input=1\nto=2026-07-01\n"
    other_kind = RATES + "output=4\n"
    other_tier = RATES + "tier='flex'\ninput=0.5\n"
    then = RATES + "input=2\nfrom=2026-07-01\n"
    policy = load(tmp_path, first + other_kind + other_tier + then)
    assert len(policy.user_prices) == 4
    error = refusal(tmp_path, first + other_kind + then.replace("07-01", "06-30"))
    assert error.slug == "price-overlap"
    assert "[[prices]] 1 and [[prices]] 3" in error.message
    assert "input of openai/first_party/gpt-4.1 (standard) on 2026-06-30" in error.message
    assert "every day" in refusal(tmp_path, (RATES + "input=1\n") * 2).message


@pytest.mark.parametrize(
    ("text", "slug", "said"),
    [
        ("[[prices]]\nprovider='openai'", "price-empty", "neither"),
        ("[[prices]]\nmultiplier=0.9\ninput=1", "price-both", "rate for input"),
        ("[[prices]]\nmultiplier=0", "price-multiplier", "above zero"),
        ("[[prices]]\nmultiplier=100", "price-multiplier", "at most 10"),
        ("[[prices]]\nmultiplier=0.0000001", "price-multiplier", "decimals"),
        ("[[prices]]\nmultiplier=0.9\nfrom=2026-01-01", "price-multiplier", "`from`"),
        ("[[prices]]\nmultiplier=0.9\ntier='batched'", "config-choice", "batched"),
        ("[[prices]]\nmodel='m'\ninput=1", "price-name", "`provider`"),
        ("[[prices]]\nprovider='openai'\ninput=1", "price-name", "`model`"),
        ("[[prices]]\nprovider='openai'\nmodel='gpt-*'\ninput=1", "price-name", "pattern"),
        (RATES + "input=0", "price-rate", "above 0"),
        (RATES + "input=-1.5", "price-rate", "above 0"),
        (RATES + "input=1000000", "price-rate", "at most"),
        (RATES + "input=0.0000025", "price-rate", "6 decimals"),
        (RATES + "input='2,50'", "price-rate", "2,50"),
        (RATES + "input=true", "price-rate", "True"),
        (RATES + "input=nan", "price-rate", "nan"),
        (RATES + "input=2026-01-01", "price-rate", "USD per million"),
        (RATES + "input=1\ntier='cheap'", "config-choice", "cheap"),
        (RATES + "input=1\nfrom='soon'", "config-date", "`from`"),
        (RATES + "input=1\nto=7", "config-date", "`to`"),
        (RATES + "input=1\nfrom=2026-02-01\nto=2026-02-01", "price-dates", "not after"),
        (RATES + "input=1\nbecause=3", "config-type", "because"),
        ("aliases = ['x']", "config-type", "aliases"),
        ("[aliases]\nx = 3", "alias", "`x`"),
        ("[aliases]\nx = ' '", "alias", "`x`"),
        ("[aliases]\nx = 'gpt-4o'\nX = 'gpt-4.1'", "alias", "twice"),
        ("[aliases]\nx = 'y'\ny = 'gpt-4o'", "alias", "an alias itself"),
    ],
)
def test_prices_and_aliases_that_are_not_certain_are_refused(
    tmp_path: Path, text: str, slug: str, said: str
) -> None:
    error = refusal(tmp_path, text)
    assert error.slug == slug
    assert said in error.message
    assert error.hint or slug.startswith("config-")
    assert "llm-audit.toml" in error.message


def test_an_unknown_kind_names_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, RATES + "cached_imput=1")
    assert error.hint == "did you mean `cached_input`?"
    assert "[[prices]] 1" in error.message


def test_aliases(tmp_path: Path) -> None:
    text = '[aliases]\n"my-deployment" = "azure/gpt-4.1"\n"gpt-4o" = " gpt-4o "\n'
    assert load(tmp_path, text).aliases == {"my-deployment": "azure/gpt-4.1", "gpt-4o": "gpt-4o"}
    assert Policy.load().aliases == {}


def test_config_in_pyproject(tmp_path: Path) -> None:
    assert find_config(tmp_path) is None
    project = tmp_path / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert find_config(tmp_path) is None
    project.write_text("[tool.llm-audit]\nwords = false\n", encoding="utf-8")
    assert find_config(tmp_path) == project
    assert Policy.load(project).words == {}
    assert hidden_config(tmp_path) is None
    own = tmp_path / "llm-audit.toml"
    own.write_text("", encoding="utf-8")
    assert find_config(tmp_path) == own
    assert hidden_config(tmp_path) == project
    project.write_text("not toml", encoding="utf-8")
    assert hidden_config(tmp_path) is None


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
