"""What the user's llm-audit.toml may say, and how wrong words are answered."""

from __future__ import annotations

import os
import re
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path

import pytest

from llm_audit.errors import PolicyError
from llm_audit.policy import (
    SIGNALS,
    Policy,
    UserPrice,
    duration_text,
    evidence_parts,
    find_config,
    hidden_config,
)
from llm_audit.policy.parts import PRICE_KINDS
from llm_audit.prices.records import TOKEN_KINDS
from llm_audit.report.render import LONGEST_TEXT

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
    assert re.match(r"llm-audit\.toml, line 6(, column \d+)?, rule OWN, `when`: ", error.message)


def test_an_expression_cannot_close_its_bracket(tmp_path: Path) -> None:
    """`a) OR (b` parses inside brackets; it is printed anew as one bracketed expression."""
    policy = load(tmp_path, rule("calls > 1) OR (calls < 0"))
    assert policy.rules[-1].when == "((calls > 1) OR (calls < 0))"


def test_unknown_signal_names_the_nearest_and_the_position(tmp_path: Path) -> None:
    error = refusal(tmp_path, rule("calls > 5 and share_streamin > 0.5"))
    assert "line 6, column 25" in error.message
    assert error.hint == "did you mean `share_streaming`?"


@pytest.mark.parametrize(
    ("evidence", "column", "hint"),
    [
        ("{share_streamin}", 14, "did you mean `share_streaming`?"),
        ("so \\u00e9 {calls} and {zzz}", 36, f"the nearest of {len(SIGNALS)} are "),
        ("{calls:,} calls", 13, "write a signal's name alone"),
        ("calls }", 19, "write a signal's name alone"),
    ],
)
def test_a_bad_placeholder_is_shown_where_it_is_bad(
    tmp_path: Path, evidence: str, column: int, hint: str
) -> None:
    error = refusal(tmp_path, rule("calls > 1", evidence))
    assert f"llm-audit.toml, line 7, column {column}, rule OWN, `evidence`: " in error.message
    assert error.hint.startswith(hint)
    assert len(error.hint) < 160, "not all signals there are"


def test_what_is_allowed_is_said_and_holds(tmp_path: Path) -> None:
    hint = refusal(tmp_path, rule("sum(calls) > 1")).hint
    for word in ("LIKE", "IN", "BETWEEN", "IS NULL", "lower"):
        assert word in hint
    load(tmp_path, rule("lower(caller) like 'etl-%' and caller not like '%x' or calls is null"))


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("   calls > 1 and foo = 2", "line 6, column 28"),
        ("caller = 'éé' and foo = 2", "line 6, column 29"),
        ("caller = 'éé' and >", "line 6, column 29"),
        ("calls > 1 and\n  share_streamin > 2", "line 7, column 3"),
        ("calls >", "line 6, column 18"),
        ("calls > 'many'", "line 6, column 19"),
        ("caller = 'é' and calls = 'many'", "line 6, column 28"),
        ("calls > 1 or (calls + 1) = 'many'", "line 6, column 38"),
        ("calls > 1 and\n abs(caller) = 2", "line 7, column 2"),
        ("calls > 1 and sum(calls) > 1", "line 6, column 25"),
        ("calls", "line 6, column 11"),
        ("calls > 1) UNION SELECT (calls > 2", "line 6, column 11"),
    ],
)
def test_a_bad_expression_is_shown_where_it_is_bad(tmp_path: Path, when: str, place: str) -> None:
    """Counted in characters of the file, as an editor does."""
    error = refusal(tmp_path, rule(when))
    assert error.message.startswith(f"llm-audit.toml, {place}, rule OWN, `when`: ")
    assert error.hint


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("'calls > 1 and foo = 2'", "line 4, column 23"),
        ('"calls > 1 and foo = 2"', "line 4, column 23"),
        (r'"caller = \"\u00e9\" and foo = 2"', "line 4, column 32"),
        ('"""\n\n  calls > 1 and\n  foo = 2"""', "line 7, column 3"),
        ('"""calls > 1 \\\n\n     and foo = 2"""', "line 6, column 10"),
        ("'''\ncalls > 1\nand foo = 2'''", "line 6, column 5"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_the_column_is_that_of_the_file_however_the_text_is_quoted(
    tmp_path: Path, written: str, place: str, ends: str
) -> None:
    text = f"# [[rule]]\n[[rule]]\ncode = 'OWN'\nwhen = {written}\n" + (
        "criterion = 'storage'\nweight = 1\nevidence = 'e'\nwhy = 'w'\n"
    )
    path = tmp_path / "llm-audit.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
    with pytest.raises(PolicyError) as caught:
        Policy.load(path, today=TODAY)
    if r"\"" in written:  # the text in double quotes is a name, and there is none such
        place = "line 4, column 18"
    assert f"llm-audit.toml, {place}, rule OWN, `when`: " in caught.value.message


GOOD = "[[override]]\ncaller = 'x'\nlabel = 'realtime'\nbecause = 'b'\nby = 'me'\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nwrods = false", 2),
        ("# words = 1\nwords = 'no' # words = 2", 2),
        ("rules = { V_CANCEL = false, V_CANCELS = false }", 1),
        ("[rules]\nV_CANCEL = false\n\nV_CANCELS = false", 4),
        ("[rules]\n'P_RUN_100' = 'high'", 2),
        ("rules.P_RUN_100 = 'high'", 1),
        ("[rules]\n# [rules]\nV_CANCEL = 2.0", 3),
        ("[thresholds]\nhinted = 3\nhint = 2", 3),
        ("\n[thresholds]\ncontradicted = 1", 2),
        (GOOD + GOOD + "tolerance = '1 h'", 6),
        (GOOD + "\n" + GOOD + "untill = 2027-01-01", 12),
        (GOOD + GOOD.replace("'realtime'", "'batch'"), 8),
        (GOOD + GOOD + "until = 'later'", 11),
        (GOOD + "because2 = \"\"\"a\n[[override]]\n\"\"\"\n" + GOOD, 6),
        (GOOD + GOOD.replace("'x'", "['a', 'b']"), 7),
        ("override = [\n  {caller = 'x', label = 'realtime', because = 'b', by = 'c'},\n"
         "  {caller = 'x',\n label = 'real'}]", 3),
        ("aliases = ['x']", 1),
        ("[aliases]\nok = 'gpt-4o'\n\"a.b\" = 3", 3),
        ("[[prices]]\nmultiplier = 0.9\n[[prices]]\nprovider = 'openai'\nmultiplier = 0", 5),
        ("[[prices]]\nmultiplier = 0.9\n[[prices]]\nprovider = 'openai'\nmodel = 'm'", 3),
        ("[[prices]]\nprovider = 'openai'\nmodel = 'm'\ninput = 1\n" * 2, 5),
        ("words = true\n[x]\ny = 99999999999999999999", 3),
        ("words = true\n'caf\udce9'", 2),
        ("words = true\nwords", 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["llm-audit.toml", "pyproject.toml"])
def test_every_error_names_its_line(tmp_path: Path, text: str, line: int, name: str) -> None:
    if name == "pyproject.toml":
        text = "[tool]\na = 1\n[tool.llm-audit]\n" + re.sub(
            r"^(\[+)(?=\w)", r"\1tool.llm-audit.", text, flags=re.MULTILINE
        )
        line += 3
    path = tmp_path / name
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(PolicyError) as caught:
        Policy.load(path, today=TODAY)
    assert re.search(rf"\bline {line}\b", caught.value.message), caught.value.message
    assert caught.value.message.startswith(name)


def test_a_packaged_rule_is_shown_by_its_line() -> None:
    text = resources.files("llm_audit").joinpath("rules.toml").read_text(encoding="utf-8")
    lines = text.splitlines()
    for rule in Policy.load().rules:
        found = re.match(r"rules\.toml, line (\d+), rule", str(rule.place.at("code")))
        assert found
        assert lines[int(found[1]) - 1] == f'code = "{rule.code}"'


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
    assert "line 15, [[override]] 3: `by` must say" in error.message


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
        "[rules]\nP_RUN_100 = 11",
        "[rules]\nP_RUN_100 = 1e999",
        f"[rules]\nP_RUN_100 = 1{'0' * 5000}",
        f"[rules]\nP_RUN_100 = 0x{'f' * 5000}",
        f"a = {'[' * 5000}{']' * 5000}",
        "[thresholds]\nsupported = 50",
        RULE.format(when="calls > 1", evidence="x") + "tests = 3",
        RULE.format(when="calls > 1", evidence="x") + "tests = [3]",
        RULE.format(when="calls > 1", evidence="x") + "tests = [{calls = 1e30, expect = true}]",
        RULE.format(when="calls > 1", evidence="x") + "tests = [{calls = [1], expect = true}]",
        RULE.format(when="calls > 1", evidence="x") + "tests = [{calls = {a=1}, expect = true}]",
        RULE.format(when="calls > 1", evidence="x") + "tests = [{calls = 10:00:00, expect=true}]",
        RULE.format(when="calls > 1", evidence="x") + "words = 'yes'",
        RULE.format(when="calls > 1", evidence="x").replace('"OWN"', "3"),
        RULE.format(when="calls > 1", evidence="x")
        .replace("1.0", "-3")
        .replace("weight", "veto = true\nweight"),
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
    assert policy.warnings == (
        "llm-audit.toml, line 1, the override of caller = 'old' ended on 2026-11-19; it is ignored",
    )


def test_an_override_of_everything_has_a_name(tmp_path: Path) -> None:
    text = "[[override]]\n{}\ntolerance='24 h'\nbecause='b'\nby='me'\nuntil=2026-11-19\n"
    for named in ("caller='*'", "workload='*'\nmodel='*'"):
        [warning] = load(tmp_path, text.format(named)).warnings
        assert "the override of caller = '*' ended on" in warning


@pytest.mark.parametrize(
    "tolerance", ["99999999999d", "366 d", "0 h", "0 s", "9" * 400 + " s", "525601 min"]
)
def test_a_tolerance_is_above_zero_and_at_most_a_year(tmp_path: Path, tolerance: str) -> None:
    error = refusal(tmp_path, GOOD.replace("label = 'realtime'", f"tolerance = '{tolerance}'"))
    assert "line 3, [[override]] 1: `tolerance` cannot be" in error.message
    assert "above zero and at most 365 d" in error.message
    assert len(error.message) < 200


def test_the_longest_tolerance(tmp_path: Path) -> None:
    text = GOOD.replace("label = 'realtime'", "tolerance = '365 D'")
    assert load(tmp_path, text).overrides[0].tolerance_s == 365 * 86_400.0


def test_a_reason_that_a_report_would_cut_is_refused(tmp_path: Path) -> None:
    assert "more than 250" in refusal(tmp_path, GOOD.replace("'b'", f"'{'b' * 251}'")).message
    text = GOOD.replace("'b'", f"'{'b' * 250}'").replace("'me'", f"'{'m' * 60}'")
    policy = load(tmp_path, text + "until = 2999-01-31")
    assert len(policy.overrides[0].sentence) <= LONGEST_TEXT


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


@pytest.mark.parametrize("text", ["tool = 3\n", "[tool]\nother = 1\n"])
def test_a_pyproject_of_others_is_none_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert find_config(tmp_path) is None


def test_a_table_of_ours_that_is_none_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool]\nllm-audit = 3\n", encoding="utf-8")
    assert find_config(tmp_path) == project
    with pytest.raises(PolicyError, match=r"line 2, \[tool\.llm-audit\]: `llm-audit` must be"):
        Policy.load(project)
    error = refusal(tmp_path, "[tool.llm-audit]\nwords = false\n")
    assert "line 1: [tool.llm-audit] is for pyproject.toml" in error.message


def test_what_bears_the_name_and_is_no_file_is_not_passed_over(tmp_path: Path) -> None:
    """Else the report would silently go without the policy that its owner sees in the folder."""
    own = tmp_path / "llm-audit.toml"
    own.mkdir()
    with pytest.raises(PolicyError, match="is no file"):
        find_config(tmp_path)
    with pytest.raises(PolicyError, match="Is a directory"):
        Policy.load(own)
    own.rmdir()
    for target in ("nowhere", "llm-audit.toml"):
        own.symlink_to(target)
        with pytest.raises(PolicyError, match="is no file"):
            find_config(tmp_path)
        own.unlink()
    os.mkfifo(own)
    with pytest.raises(PolicyError, match="is no file"):
        find_config(tmp_path)


@pytest.mark.parametrize(
    "data",
    ["words = false\n".encode("utf-16"), b"words = false # caf\xe9\n", b"\x1f\x8b\x08\0", b"\0"],
)
def test_other_encodings_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PolicyError, match=r"llm-audit\.toml.* line 1\b"):
        Policy.parse(data, "llm-audit.toml")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("not " * 600 + "is_streaming", "nested too deeply"),
        ("+".join(["calls"] * 900) + " > 1", "nested too deeply"),
        ("(" * 2000 + "calls > 1" + ")" * 2000, "depth"),
        ("calls * 9223372036854775807 > 1", "Overflow"),
        ("caller = 'x' and calls * 9223372036854775807 > 1", "Overflow"),
        ("caller ilike 'x'", "ILIKE is not allowed"),
        ("caller glob 'x'", "GLOB is not allowed"),
    ],
)
def test_what_would_fail_in_the_middle_of_a_report_is_refused(
    tmp_path: Path, when: str, said: str
) -> None:
    assert said in refusal(tmp_path, rule(when)).message


@pytest.mark.parametrize("code", ["OVERRIDE", "", " ", "a b", "a\\nb", "x" * 41, "V_ÄRGER"])
def test_a_code_is_a_plain_name_of_its_own(tmp_path: Path, code: str) -> None:
    assert refusal(tmp_path, rule("calls > 1").replace("OWN", code)).slug.startswith("rule-")


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
