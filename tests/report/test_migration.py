"""What a migration has shown stands in every format, with its keys; without one nothing is said."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest

from llm_audit.report import (
    Result,
    compare,
    from_json,
    measured,
    table,
    to_csv,
    to_focus,
    to_json,
    to_markdown,
    write_html,
)
from llm_audit.report.figures import lasting
from llm_audit.report.migrated import Migration, Rate
from tests.report import tables
from tests.report.everywhere import TEXTS, everywhere, sentences
from tests.report.page import Page
from tests.report.test_html import test_every_marked_figure_is_the_one_in_the_json as figures_hold


@pytest.fixture
def migrated(audit: duckdb.DuckDBPyConnection) -> Result:
    tables.mixed_audit(audit)
    tables.add_migration(audit)
    return tables.build(audit)


def _found(result: Result) -> Migration:
    assert result.migration is not None
    return result.migration


def _without(result: Result, **changes: object) -> Result:
    return replace(result, migration=replace(_found(result), **changes))  # type: ignore[arg-type]


def test_the_json_has_claimed_beside_measured(migrated: Result) -> None:
    found = json.loads(to_json(migrated))["migration"]
    assert found["verified_at"] == "2025-09-09T08:30:00Z"
    assert (found["all_runs"], len(found["runs"])) == (True, 2)
    assert (found["requests"], found["batches"]) == (120, 3)
    assert found["answered"] == {"count": 119, "of": 120}
    cost = found["cost"]
    assert (cost["claimed_cost"], cost["measured_cost"]) == ("1.20", "1.08")
    assert (cost["claimed_saving"], cost["measured_saving"]) == ("1.20", "1.32")
    assert [line["token_kind"] for line in cost["tokens"]] == ["input", "cached_input", "output"]
    assert [check["name"] for check in found["checks"]] == ["finish", "json_valid"]
    assert found["noise"]["logged"] == {"count": 16, "of": 20, "similarity": 0.95}
    assert [w["workload_id"] for w in found["workloads"]] == ["w_0000000001", "w_gone"]
    assert found["not_compared"] == [{"name": "source_changed", "number": 4}]


def test_it_survives_the_json(migrated: Result) -> None:
    assert from_json(to_json(migrated)) == migrated


def test_every_format_says_it_in_the_same_words(migrated: Result) -> None:
    page = Page(write_html(migrated)).all("main")[0].text
    for text in (
        sentences(page),
        sentences(table(migrated, width=10_000)),
        to_markdown(migrated).replace("\\_", "_"),
    ):
        for words in (
            measured.TITLE,
            "120 requests replayed in 3 batches that ended: 119 of 120 (over 99%) answered.",
            "2 expired and 1 failed",
            "was $1.20; measured, from the vendor's own token counts, it is $1.08: a batch then "
            "would have saved $1.32 where $1.20 was promised (110% of the promise).",
            "Turnaround at Anthropic, of 1 batch: 76 s.",
            "of 2 batches: half within 10 min, nine of ten within 24 h, all within 24 h.",
            "Same finish reason as logged: 114 of 119 (96%).",
            "9 of 10 (90%) are JSON where asked for (logged: 10)",
            "Same text as logged: 95 of 115 (83%)",
            "the noise floor, two logged answers to one request are the same in 16 of 20 (80%)",
            "40,000 of 240,000 (17%) in the batches",
            "1 answered request without a batch rate: in no amount here.",
            "could not be held against the log: 4 (source changed).",
            "Verified on 2025-09-09 08:30 UTC by llm-audit 0.1.0, of all runs so far "
            "(20250908-020000-a1, 20250908-090000-b2).",
        ):
            assert words in text


@pytest.mark.parametrize("static", [False, True])
def test_every_figure_of_the_section_is_marked(migrated: Result, static: bool) -> None:
    figures_hold(migrated)
    page = Page(write_html(migrated, static=static))
    keys = {e.attributes.get("data-key") or "" for e in page.all("data")}
    document = json.loads(to_json(migrated))["migration"]
    for place in range(len(document["workloads"])):
        assert f"migration.workloads.{place}.measured_cost" in keys
    for key in (
        "migration.turnaround.0.p90_s",
        "migration.cost.tokens.2.measured_tokens",
        "migration.checks.1.batch",
        "migration.noise.across.similarity",
        "migration.failures.0.number",
        "migration.odd_lines.0.number",
    ):
        assert key in keys
    assert '<a href="#migration">' in write_html(migrated, static=static)


def test_the_first_screen_leads_to_it(migrated: Result) -> None:
    page = Page(write_html(migrated))
    [said] = [e.text for e in page.all("p") if "Measured in a migration" in e.text]
    assert (
        "of 120 requests: 119 of 120 (over 99%) answered, a batch then would have saved $1.32 "
        "where $1.20 was"
    ) in said


def test_workloads_are_named_by_their_callers(migrated: Result) -> None:
    page = Page(write_html(migrated))
    [section] = [e for e in page.all("section") if e.attributes["id"] == "migration"]
    assert "nightly-enrichment" in section.text
    assert "(no caller in this log)" in section.text, "its log was forgotten since"


def test_without_one_nothing_is_said(mixed: Result) -> None:
    assert mixed.migration is None
    assert json.loads(to_json(mixed))["migration"] is None
    for text in (write_html(mixed), table(mixed), to_markdown(mixed)):
        assert measured.TITLE not in text
        assert 'href="#migration"' not in text


def test_a_database_of_an_older_version_has_no_section(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    audit.execute("DROP TABLE verified_totals")
    assert tables.build(audit).migration is None


def test_spreadsheets_are_as_they_were(migrated: Result, mixed: Result) -> None:
    plain = replace(migrated, migration=None)
    assert (to_csv(migrated), to_focus(migrated)) == (to_csv(plain), to_focus(plain))


def test_a_baseline_is_of_the_audit_alone(migrated: Result) -> None:
    plain = replace(migrated, migration=None)
    assert compare(migrated, plain) == compare(plain, migrated) == compare(plain, plain)


def test_one_run_says_so(migrated: Result) -> None:
    one = _without(migrated, all_runs=False, runs=("20250908-020000-a1",))
    assert "of run 20250908-020000-a1 alone, no other run." in table(one, width=10_000)
    many = _without(migrated, runs=tuple(f"run-{n}" for n in range(9)))
    assert "run-4 and others)" in table(many, width=10_000)


def test_what_was_not_measured_is_said(migrated: Result) -> None:
    found = _found(migrated)
    silent = replace(found.cost, priced_requests=0, sync_cost=Decimal(0), tokens=())
    nothing = _without(migrated, noise=None, turnaround=(), cost=silent)
    text = table(nothing, width=10_000)
    assert "No noise floor was measured: no request was sent twice" in text
    assert "No batch has ended yet" in text
    assert "No answered request has a batch rate" in text
    page = write_html(nothing)
    assert "which was not measured" in page
    assert "answered, none with a known batch price." in sentences(Page(page).all("main")[0].text)
    untold = _without(migrated, same_text=replace(found.same_text, count=0, of=0, similarity=None))
    assert "No pair of texts could be compared." in table(untold, width=10_000)
    assert "noise floor" not in table(untold, width=10_000)
    figures_hold(nothing)
    figures_hold(untold)


def test_prompts_counted_otherwise_claim_no_saving(migrated: Result) -> None:
    """What `migrate verify` cannot tell, no drawing tells."""
    cost = replace(
        _found(migrated).cost,
        prompt_equal=Rate(110, 119),
        prompts_alike=False,
        measured_saving=None,
    )
    untold = _without(migrated, cost=cost)
    written = write_html(untold)
    page = Page(written).all("main")[0].text
    for text in (sentences(page), table(untold, width=10_000), to_markdown(untold)):
        assert "! the prompts were not counted alike (other images, tools or counting)" in text
        assert "As many prompt tokens as logged: 110 of 119 (92%)." in text
        assert "it is $1.08." in text
        assert "have saved $" not in text
        assert "$1.32" not in text
    [said] = [e.text for e in Page(written).all("p") if "Measured in a migration" in e.text]
    assert "answered; the prompts were not counted alike" in said
    assert not re.search(r'data-key="migration[^"]*_saving"', written)
    assert json.loads(to_json(untold))["migration"]["cost"]["measured_saving"] is None
    assert from_json(to_json(untold)) == untold
    figures_hold(untold)


@pytest.mark.parametrize("alike", [False, None])
def test_the_tables_tell_no_saving_either(audit: duckdb.DuckDBPyConnection, alike: object) -> None:
    """None: kept by a version that did not know."""
    tables.mixed_audit(audit)
    tables.add_migration(audit, prompts_alike=alike)
    cost = _found(tables.build(audit)).cost
    assert (cost.prompts_alike, cost.measured_saving) == (False, None)


def test_a_move_that_cost_more_has_no_share_of_the_promise(migrated: Result) -> None:
    cost = replace(
        _found(migrated).cost, measured_cost=Decimal("2.6"), measured_saving=Decimal("-0.2")
    )
    text = table(_without(migrated, cost=cost), width=10_000)
    assert "a batch then would have saved -$0.20 where $1.20 was promised.\n" in text


@pytest.mark.parametrize("text", TEXTS, ids=[ascii(text[:24]) for text in TEXTS])
def test_names_are_text_whoever_wrote_them(migrated: Result, text: str) -> None:
    hostile = _without(migrated, **vars(everywhere(_found(migrated), text)))
    harmless = _without(migrated, **vars(everywhere(_found(migrated), "harmless")))
    assert Page(write_html(hostile)).shape() == Page(write_html(harmless)).shape()
    shown = table(hostile, width=80)
    assert shown.replace("\n", "").isprintable()
    assert max(map(len, shown.splitlines())) <= 80
    comment = to_markdown(hostile).splitlines()
    assert len(comment) == len(to_markdown(harmless).splitlines())
    assert not re.search(r"(?<!\\)(<script|\]\()", "\n".join(comment))


def test_times_are_read_as_people_say_them() -> None:
    assert [lasting(s) for s in (8, 300, 450, 7200, 86_400)] == [
        "8 s", "5 min", "7.5 min", "2 h", "24 h",
    ]  # fmt: skip
