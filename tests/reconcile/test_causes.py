"""One worked case for every cause of a gap, by hand: haiku costs $1 in and $5 out per million."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from llm_audit.errors import InputError
from tests.reconcile.helpers import bucket, call, compare, only, split

Connection = duckdb.DuckDBPyConnection

MILLION = 1_000_000
FRAME = [call(1, hour=0, input_tokens=0), call(9, hour=23, input_tokens=0)]
"""Two calls that cost nothing and make the log last from the 1st to the 9th."""


def day_of(day: int, *, millions: int = 1, **values: object) -> dict[str, object]:
    return call(day, input_tokens=millions * MILLION, output_tokens=MILLION, **values)  # type: ignore[arg-type]


def test_the_same_on_both_sides(connection: Connection) -> None:
    result = compare(
        connection,
        [*FRAME, day_of(5)],
        [bucket(5, "input", MILLION, "1"), bucket(5, "output", MILLION, "5")],
    )
    usd, tokens = result.comparisons
    assert (usd.basis, usd.ours, usd.theirs) == ("usd", Decimal(6), Decimal(6))
    assert (tokens.basis, tokens.ours, tokens.theirs) == ("tokens", 2 * MILLION, 2 * MILLION)
    assert split(usd) == split(tokens) == {}
    assert result.rows == ()
    assert "the same to the last decimal" in usd.verdict


def test_outside_the_logs_period(connection: Connection) -> None:
    lines = [bucket(day, "input", MILLION) for day in (4, 5, 11)]
    lines[0]["bucket_start"] = datetime(2026, 10, 31)
    lines[0]["bucket_end"] = datetime(2026, 11, 1)
    whole = only(compare(connection, [*FRAME, day_of(5)], lines))
    assert split(whole) == {"outside_period": 2 * MILLION, "unexplained": -MILLION}


def test_the_first_day_is_covered_in_part(connection: Connection) -> None:
    calls = [day_of(3, hour=10), day_of(4), call(9, input_tokens=0)]
    lines = [bucket(d, kind, 3 * MILLION) for d in (3, 4) for kind in ("input", "output")]
    whole = only(compare(connection, calls, lines))
    # Of the 3rd ten hours of 24 lie before the log: 1.25 of each 3 million, of a gap of 2 million.
    assert split(whole) == {"outside_period": 2_500_000, "unexplained": 5_500_000}


def test_a_log_of_one_day_can_have_a_gap(connection: Connection) -> None:
    calls = [day_of(5, hour=hour) for hour in (0, 23)]
    whole = only(compare(connection, calls, [bucket(5, "input", 240 * MILLION)]))
    # Of that day one hour is not in the log.
    assert split(whole) == {"outside_period": 10 * MILLION, "unexplained": 226 * MILLION}


def test_hours_before_the_first_call_are_outside_and_hours_after_it_are_not(
    connection: Connection,
) -> None:
    def hour(number: int, value: int) -> dict[str, object]:
        start, end = datetime(2026, 11, 3, number), datetime(2026, 11, 3, number + 1)
        return bucket(3, "input", value, bucket_start=start, bucket_end=end)

    half_past = datetime(2026, 11, 3, 10, 30)
    calls = [call(3, started_at=half_past, input_tokens=100), call(9, input_tokens=0)]
    whole = only(compare(connection, calls, [hour(9, 7), hour(10, 130), hour(15, 500)]))
    # 7 before, half of the 130 of the hour in which the log begins; the rest has no excuse.
    assert split(whole) == {"outside_period": 72, "unexplained": 465}


def test_our_surplus_on_the_first_day_is_never_outside(connection: Connection) -> None:
    calls = [call(3, input_tokens=100), call(9, input_tokens=0)]
    whole = only(compare(connection, calls, [bucket(3, "input", 60)]))
    assert split(whole) == {"unexplained": -40}


def test_models_not_in_the_log(connection: Connection) -> None:
    lines = [
        bucket(5, "input", MILLION),
        bucket(5, "output", MILLION),
        bucket(5, "input", 300, model="claude-opus-4-5"),
        bucket(5, "input", 20, model="made-up-model"),
    ]
    result = compare(connection, [*FRAME, day_of(5)], lines)
    assert split(only(result)) == {"model_not_in_log": 320}
    assert [row.model for row in result.rows] == ["claude-opus-4-5", "made-up-model"]
    [estimated] = [p for p in only(result).parts if p.cause == "model_not_in_log"]
    assert estimated.estimate_usd is None, "nobody knows what made-up-model costs"


def test_names_of_one_model_are_one_model(connection: Connection) -> None:
    calls = [*FRAME, call(5, "claude-haiku-4-5-20251001", input_tokens=500, output_tokens=0)]
    result = compare(connection, calls, [bucket(5, "input", 500, model="claude-haiku-4-5")])
    assert split(only(result)) == {}


def test_keys_not_in_the_log(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=500, api_key_alias="web")]
    lines = [bucket(5, "input", 500, api_key="web"), bucket(5, "input", 70, api_key="lab")]
    assert split(only(compare(connection, calls, lines))) == {"key_not_in_log": 70}


def test_keys_say_nothing_where_the_two_sides_name_them_differently(
    connection: Connection,
) -> None:
    calls = [*FRAME, call(5, input_tokens=500, api_key_alias="web")]
    lines = [bucket(5, "input", 500, api_key="apikey_01A"), bucket(5, "input", 70, api_key="x")]
    assert split(only(compare(connection, calls, lines))) == {"unexplained": 70}


def test_batch_share(connection: Connection) -> None:
    lines = [
        bucket(5, "input", 2 * MILLION, "2", service_tier="standard"),
        bucket(5, "output", MILLION, "5", service_tier="standard"),
        bucket(5, "input", 4 * MILLION, "2", service_tier="batch"),
    ]
    usd, tokens = compare(connection, [*FRAME, day_of(5, millions=2)], lines).comparisons
    assert split(usd) == {"batch_share": Decimal(2)}
    assert split(tokens) == {"batch_share": 4 * MILLION}
    [part] = [part for part in tokens.parts if part.cause == "batch_share"]
    assert part.estimate_usd == Decimal(2), "at the batch rate"


def test_a_log_with_batch_calls_that_day_has_to_explain_them(connection: Connection) -> None:
    calls = [*FRAME, call(5, service_tier="batch", input_tokens=100)]
    lines = [bucket(5, "input", 400, service_tier="batch")]
    assert split(only(compare(connection, calls, lines))) == {"unexplained": 300}


def test_calls_of_unknown_tier_may_be_the_batch(connection: Connection) -> None:
    calls = [*FRAME, call(5, service_tier=None, input_tokens=4 * MILLION)]
    lines = [bucket(5, "input", 4 * MILLION, "2", service_tier="batch")]
    usd, tokens = compare(connection, calls, lines).comparisons
    # We priced them at $4, the provider billed the batch price: the gap is all batch.
    assert split(usd) == {"batch_share": Decimal(-2)}
    assert split(tokens) == {}


def test_calls_known_to_be_standard_are_not_the_batch(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=100)]
    lines = [bucket(5, "input", 100, service_tier="batch")]
    result = compare(connection, calls, lines)
    assert split(only(result)) == {"batch_share": 100, "unexplained": -100}
    assert only(result).unexplained_size == 100


def test_tool_fees(connection: Connection) -> None:
    lines = [
        bucket(5, "input", None, "1"),
        bucket(5, "output", None, "5"),
        bucket(5, "web_search", None, "0.07", model=None),
        bucket(5, "code_execution", None, "0.25", model=None),
    ]
    calls = [*FRAME, day_of(5), call(5, input_tokens=0, web_search_requests=4)]
    # Anthropic's searches cost $10 a thousand: of their $0.07 our log counts $0.04, and a search
    # that it lacks is as unexplained as a token. What code costs to run no log holds.
    whole = only(compare(connection, calls, lines))
    assert split(whole) == {"tool_fees": Decimal("0.25"), "unexplained": Decimal("0.03")}


def test_searches_that_both_sides_count_are_no_gap(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=0, web_search_requests=7)]
    assert split(only(compare(connection, calls, [_fee("0.07")]))) == {}


def test_a_fee_does_not_make_a_total_a_split_by_kind(connection: Connection) -> None:
    lines = [bucket(5, "cost", None, "6", model=None), _fee("0.25", "code_execution")]
    whole = only(compare(connection, [*FRAME, day_of(5)], lines))
    assert (whole.by_kind, split(whole)) == (False, {"tool_fees": Decimal("0.25")})


def _fee(usd: str, kind: str = "web_search") -> dict[str, object]:
    return bucket(5, kind, None, usd, model=None, provider_name="anthropic")


def test_unpriced(connection: Connection) -> None:
    calls = [*FRAME, call(5, "claude-unheard-of", input_tokens=1000)]
    lines = [bucket(5, "input", 1000, "0.5", model="claude-unheard-of")]
    usd, tokens = compare(connection, calls, lines).comparisons
    assert split(usd) == {"unpriced": Decimal("0.5")}
    assert split(tokens) == {}


def test_a_few_unpriced_tokens_do_not_excuse_a_bill(connection: Connection) -> None:
    committed = call(5, input_tokens=10, service_tier="priority")
    calls = [*FRAME, call(5, input_tokens=MILLION), committed]
    whole = only(compare(connection, calls, [bucket(5, "input", None, "3")]))
    assert split(whole) == {
        # Their share of the tokens, 10 of 1,000,010, of $3.
        "unpriced": Decimal("0.000029999700"),
        "unexplained": Decimal("1.999970000300"),
    }


def test_calls_without_counts_explain_missing_tokens(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=100), call(5, tokens_source="missing")]
    whole = only(compare(connection, calls, [bucket(5, "input", 150)]))
    assert split(whole) == {"unpriced": 50}


def test_a_call_without_counts_holds_no_more_than_the_others(connection: Connection) -> None:
    counted = [call(5, input_tokens=tokens) for tokens in (MILLION, 3 * MILLION)]
    calls = [*FRAME, *counted, call(5, tokens_source="missing")]
    lines = [bucket(5, "input", 90 * MILLION, "90")]
    usd, tokens = compare(connection, calls, lines).comparisons
    assert split(tokens) == {"unpriced": 2 * MILLION, "unexplained": 84 * MILLION}
    assert split(usd) == {"unpriced": Decimal(2), "unexplained": Decimal(84)}


def test_a_call_without_counts_is_like_those_of_other_days(connection: Connection) -> None:
    calls = [call(1, input_tokens=700), call(9, input_tokens=0), call(5, tokens_source="missing")]
    # The call of the 9th has no tokens and is on no bill: it is no example.
    assert split(only(compare(connection, calls, [bucket(5, "input", 900)]))) == {
        "unpriced": 700,
        "unexplained": 200,
    }


def test_a_call_without_counts_of_an_uncounted_model_explains_nothing(
    connection: Connection,
) -> None:
    odd = "claude-opus-4-5"
    calls = [*FRAME, call(5, input_tokens=700), call(5, odd, tokens_source="missing")]
    lines = [bucket(5, "input", 700), bucket(5, "input", 900, model=odd)]
    assert split(only(compare(connection, calls, lines))) == {"unexplained": 900}


def test_the_console_rounds_each_line_to_cents(connection: Connection) -> None:
    def cents(usd: str, **values: object) -> dict[str, object]:
        return bucket(5, "input", None, usd, source_format="anthropic_console_cost", **values)

    calls = [*FRAME, call(5, input_tokens=21_234)]
    whole = only(compare(connection, calls, [cents("0.02"), cents("0.01")]))
    # $0.021234 against $0.03 on two lines: within two half cents.
    assert split(whole) == {"rounding": Decimal("0.008766")}


def test_only_lines_that_are_compared_have_a_rounding(connection: Connection) -> None:
    def cents(usd: str, key: str) -> dict[str, object]:
        source = "anthropic_console_cost"
        return bucket(5, "input", None, usd, source_format=source, api_key=key)

    calls = [*FRAME, call(5, input_tokens=70_000, api_key_alias="web")]
    others = [cents("5.00", f"lab {number}") for number in range(200)]
    whole = only(compare(connection, calls, [cents("1.07", "web"), *others]))
    assert split(whole) == {"key_not_in_log": Decimal(1000), "unexplained": Decimal(1)}


def test_more_than_the_rounding_is_not_rounding(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=21_234)]
    line = bucket(5, "input", None, "0.03", source_format="anthropic_console_cost")
    assert split(only(compare(connection, calls, [line]))) == {"unexplained": Decimal("0.008766")}


def test_exact_amounts_have_no_such_excuse(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=21_234)]
    whole = only(compare(connection, calls, [bucket(5, "input", None, "0.02123")]))
    assert split(whole) == {"unexplained": Decimal("-0.000004")}


def test_an_export_without_models_is_compared_without_them(connection: Connection) -> None:
    calls = [*FRAME, day_of(5), call(5, "claude-opus-4-5", input_tokens=40)]
    lines = [bucket(5, "input", MILLION + 100, model=None), bucket(5, "output", 7, model=None)]
    result = compare(connection, calls, lines)
    whole = only(result)
    assert not whole.by_model
    assert {(row.model, row.token_kind, row.gap) for row in result.rows} == {
        (None, "input", 60),
        (None, "output", 7 - MILLION),
    }


def test_a_total_is_compared_with_the_total(connection: Connection) -> None:
    whole = only(
        compare(connection, [*FRAME, day_of(5)], [bucket(5, "cost", None, "7", model=None)])
    )
    assert (whole.by_model, whole.by_kind) == (False, False)
    assert split(whole) == {"unexplained": Decimal(1)}


def test_the_same_days_exported_twice_count_once(connection: Connection) -> None:
    lines = [
        bucket(5, "input", MILLION, model=None, source_file="total.json"),
        bucket(5, "output", MILLION, model=None, source_file="total.json"),
        bucket(5, "input", MILLION, source_file="by_model.json"),
        bucket(5, "output", MILLION, source_file="by_model.json"),
    ]
    whole = only(compare(connection, [*FRAME, day_of(5)], lines))
    assert split(whole) == {}
    assert (whole.by_model, whole.lines, whole.lines_set_aside) == (True, 2, 2)


def test_days_that_no_export_covers_are_not_compared(connection: Connection) -> None:
    calls = [*FRAME, *(call(day, input_tokens=10) for day in range(2, 9))]
    lines = [bucket(3, "input", 10), bucket(5, "input", 10)]
    # The 4th is inside the export and empty there: ours alone. The others are not its business.
    assert split(only(compare(connection, calls, lines))) == {"unexplained": -10}


def test_failed_calls_and_cache_answers_are_not_on_the_bill(connection: Connection) -> None:
    calls = [
        *FRAME,
        call(5, input_tokens=10),
        call(5, input_tokens=70, status="error"),
        call(5, input_tokens=80, gateway_cache_hit=True),
    ]
    assert split(only(compare(connection, calls, [bucket(5, "input", 10)]))) == {}


def test_providers_are_kept_apart(connection: Connection) -> None:
    calls = [*FRAME, call(5, input_tokens=10), call(5, "gpt-4o", input_tokens=30)]
    result = compare(connection, calls, [bucket(5, "input", 10)])
    assert [whole.provider_name for whole in result.comparisons] == ["anthropic"]
    assert split(only(result)) == {}


def test_cached_and_written_tokens_are_kinds_of_their_own(connection: Connection) -> None:
    one = call(
        5, input_tokens=1000, output_tokens=5, cache_read_input_tokens=600,
        cache_creation_5m_input_tokens=100, cache_creation_1h_input_tokens=50,
    )  # fmt: skip
    lines = [
        bucket(5, "input", 250),
        bucket(5, "cached_input", 600),
        bucket(5, "cache_write_5m", 100),
        bucket(5, "cache_write_1h", 50),
        bucket(5, "output", 5),
    ]
    assert split(only(compare(connection, [*FRAME, one], lines))) == {}


def test_impossible_lines_are_left_out_and_counted(connection: Connection) -> None:
    month = bucket(5, "input", 99, bucket_end=datetime(2026, 12, 1))
    lines = [bucket(5, "input", 10), month, bucket(5, "input", 10**20)]
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=10)], lines))
    assert split(whole) == {}
    assert whole.lines_left_out == 2


def test_without_an_export_there_is_nothing_to_compare(connection: Connection) -> None:
    with pytest.raises(InputError) as error:
        compare(connection, FRAME, [])
    assert error.value.slug == "no-export"


def test_an_export_no_line_of_which_can_be_compared(connection: Connection) -> None:
    with pytest.raises(InputError) as error:
        compare(connection, FRAME, [bucket(5, "requests", 10)])
    assert error.value.slug == "export-unusable"


def test_a_provider_the_log_does_not_have(connection: Connection) -> None:
    whole = only(compare(connection, FRAME, [bucket(5, "input", 10, model="gpt-4o")]))
    assert split(whole) == {"model_not_in_log": 10}
    assert "not reconciled" in whole.verdict


def test_calls_without_a_time_explain_nothing(connection: Connection) -> None:
    calls = [call(5, started_at=None, input_tokens=10)]
    lines = [bucket(5, "input", 10), bucket(5, "input", 7, model="odd")]
    whole = only(compare(connection, calls, lines))
    assert split(whole) == {"unexplained": 10, "model_not_in_log": 7}
    assert whole.calls_without_time == 1


def test_an_endpoint_without_a_page_is_not_compared(connection: Connection) -> None:
    embedding = call(
        5, "text-embedding-3-small", provider_name="openai", operation_name="embeddings",
        input_tokens=900,
    )  # fmt: skip
    calls = [call(1, "gpt-4o", hour=0, input_tokens=0), call(5, "gpt-4o", input_tokens=10),
             call(9, "gpt-4o", input_tokens=0), embedding]  # fmt: skip
    page = {"model": "gpt-4o", "export_keys": '{"endpoint": "completions"}'}
    assert split(only(compare(connection, calls, [bucket(5, "input", 10, **page)]))) == {}


def test_pages_of_all_endpoints_are_added_up(connection: Connection) -> None:
    calls = [
        call(1, "gpt-4o", hour=0, input_tokens=0),
        call(5, "gpt-4o", input_tokens=10),
        call(5, "gpt-4o", operation_name="embeddings", input_tokens=4),
        call(9, "gpt-4o", input_tokens=0),
    ]
    lines = [
        bucket(5, "input", 10, model=None, provider_name="openai",
               export_keys='{"endpoint": "completions"}', source_file="c.json"),
        bucket(5, "input", 4, model=None, provider_name="openai",
               export_keys='{"endpoint": "embeddings"}', source_file="e.json"),
    ]  # fmt: skip
    whole = only(compare(connection, calls, lines))
    assert (whole.theirs, whole.ours) == (14, 14)


def test_shares_are_of_what_the_log_covers(connection: Connection) -> None:
    lines = [bucket(5, "input", 100), bucket(12, "input", 9900)]
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=90)], lines))
    assert whole.verdict == (
        "Anthropic's export has 10,000 tokens, our log 90 tokens; unexplained: 10 tokens (10% of "
        "what the log covers of theirs)."
    )


# Exports of the same days


def keyed(**keys: str) -> str:
    return json.dumps(keys)


WEB: dict[str, object] = {"export_keys": keyed(workspace_id="w")}
AGAIN: list[tuple[dict[str, object], dict[str, object]]] = [
    ({}, WEB),
    (WEB, {"export_keys": keyed(context_window="0-200k")}),
    ({}, {"api_key": "web"}),
    (
        {"export_keys": keyed(line_item="haiku, input")},
        {"export_keys": keyed(line_item="haiku, input", project_id="p")},
    ),
    ({}, {"source_format": "anthropic_console_cost"}),
    ({}, {"service_tier": "standard"}),
]


@pytest.mark.parametrize(("one", "two"), AGAIN)
@pytest.mark.parametrize("first", [True, False])
def test_one_usage_split_in_two_ways_counts_once(
    connection: Connection, one: dict[str, object], two: dict[str, object], *, first: bool
) -> None:
    names = ("a", "b") if first else ("b", "a")
    lines = [
        bucket(5, "input", MILLION, "1", source_file=name, **values)
        for name, values in zip(names, (one, two), strict=True)
    ]
    for whole in compare(connection, [*FRAME, call(5, input_tokens=MILLION)], lines).comparisons:
        assert split(whole) == {}
        assert (whole.lines, whole.lines_set_aside) == (1, 1)


def test_exports_that_are_split_alike_are_added_up(connection: Connection) -> None:
    lines = [
        bucket(5, "input", MILLION, source_file=f"{name}.json", export_keys=keyed(project_id=name))
        for name in ("p", "q")
    ]
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=2 * MILLION)], lines))
    assert (split(whole), whole.lines) == ({}, 2)


def test_two_splits_in_one_file_are_two_exports(connection: Connection) -> None:
    lines = [
        bucket(5, "input", 10, source_page=1),
        bucket(5, "input", 10, source_page=2, export_keys=keyed(project_id="p")),
    ]
    assert split(only(compare(connection, [*FRAME, call(5, input_tokens=10)], lines))) == {}


def hours(first: int, last: int, value: int, **values: Any) -> list[dict[str, object]]:
    return [
        bucket(5, "input", value, bucket_start=datetime(2026, 11, 5, hour),
               bucket_end=datetime(2026, 11, 5, hour) + timedelta(hours=1), **values)
        for hour in range(first, last)
    ]  # fmt: skip


def test_half_a_day_by_key_does_not_displace_the_day(connection: Connection) -> None:
    half = hours(0, 12, 100, api_key="k", source_file="half.json")
    day = bucket(5, "input", 2400, source_file="day.json")
    calls = [*FRAME, *(call(5, hour=hour, input_tokens=100) for hour in range(24))]
    whole = only(compare(connection, calls, [*half, day]))
    assert split(whole) == {}
    assert (whole.lines, whole.lines_set_aside) == (1, 12)


def test_hours_of_a_whole_day_are_a_day_and_not_another_one(connection: Connection) -> None:
    lines = [*hours(0, 24, 100, source_file="h.json"), bucket(5, "input", 2400, source_file="d")]
    assert split(only(compare(connection, [*FRAME, call(5, input_tokens=2400)], lines))) == {}


def test_cents_by_key_do_not_displace_exact_amounts(connection: Connection) -> None:
    console = bucket(5, "input", None, "0.02", source_format="anthropic_console_cost",
                     source_file="console.csv", api_key="k")  # fmt: skip
    exact = bucket(5, "input", None, "0.021234")
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=21_234)], [console, exact]))
    assert (whole.theirs, split(whole)) == (Decimal("0.021234"), {})


def test_a_page_of_embeddings_does_not_displace_an_export_of_all(connection: Connection) -> None:
    calls = [call(day, "gpt-4o", input_tokens=10) for day in (1, 5, 9)]
    every = {"model": "gpt-4o", "source_format": "openai_usage_legacy", "source_file": "all.json"}
    page = {"export_keys": keyed(endpoint="embeddings"), "source_format": "openai_usage"}
    lines = [
        bucket(5, "input", 10, **every),
        bucket(5, "input", 7, model="text-embedding-3-small", provider_name="openai", **page),
    ]
    whole = only(compare(connection, calls, lines))
    assert (whole.theirs, split(whole)) == (10, {})


# What is covered


def test_how_much_of_the_log_was_compared(connection: Connection) -> None:
    calls = [call(day, input_tokens=MILLION) for day in (1, 3, 5, 7, 9)]
    whole = only(compare(connection, calls, [bucket(5, "input", MILLION)]))
    assert (whole.log_days, whole.log_days_compared) == (5, 1)
    assert (whole.calls_not_compared, whole.cost_not_compared) == (4, Decimal(4))
    assert whole.verdict == (
        "Anthropic's export has 1,000,000 tokens, our log 1,000,000 tokens on 1 of the log's 5 "
        "days: the same to the last token."
    )


def openai_call(day: int, *, embeds: bool = False) -> dict[str, object]:
    model = "text-embedding-3-small" if embeds else "gpt-4o"
    operation = "embeddings" if embeds else "chat"
    return call(day, model, provider_name="openai", operation_name=operation, input_tokens=10)


def endpoint_page(day: int, name: str, value: int = 10) -> dict[str, object]:
    model = "gpt-4o" if name == "completions" else "text-embedding-3-small"
    return bucket(day, "input", value, model=model, provider_name="openai",
                  source_format="openai_usage", source_file=f"{name}.json",
                  export_keys=keyed(endpoint=name))  # fmt: skip


def test_an_endpoint_is_compared_on_the_days_of_its_own_export(connection: Connection) -> None:
    calls = [openai_call(day, embeds=embeds) for day in (4, 5, 6) for embeds in (True, False)]
    lines = [*(endpoint_page(day, "completions") for day in (4, 5, 6)),
             endpoint_page(5, "embeddings")]  # fmt: skip
    whole = only(compare(connection, calls, lines))
    assert split(whole) == {}
    assert (whole.log_days_compared, whole.calls_not_compared) == (3, 2)


def test_an_empty_bucket_covers_its_day(connection: Connection) -> None:
    calls = [openai_call(day) for day in (4, 5, 6)]
    empty = {"quantity": 0, "token_kind": "nothing", "model": None}
    lines = [endpoint_page(5, "completions"), endpoint_page(6, "completions") | empty]
    whole = only(compare(connection, calls, lines))
    assert split(whole) == {"unexplained": -10}
    assert (whole.lines, whole.by_model, whole.log_days_compared) == (1, True, 2)


def test_a_credit_is_a_line_of_the_bill(connection: Connection) -> None:
    lines = [bucket(5, "input", None, "1"), bucket(5, "cost", None, "-0.25", model=None)]
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=MILLION)], lines))
    assert (whole.theirs, whole.gap) == (Decimal("0.75"), Decimal("-0.25"))
    assert split(whole) == {"unexplained": Decimal("-0.25")}


def test_a_gap_larger_than_the_bill_has_no_percentage(connection: Connection) -> None:
    whole = only(compare(connection, [*FRAME, call(5, input_tokens=500)], [bucket(5, "input", 10)]))
    assert whole.verdict.endswith("; unexplained: 490 tokens.")
