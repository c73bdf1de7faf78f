"""Other people's prices beside ours: verdicts, text, and the file that a person pastes from."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_audit.errors import InputError
from llm_audit.prices import catalogue, importers, update
from llm_audit.prices.importers import csv_file
from llm_audit.prices.importers.records import Candidate, Import
from tests.pricing.helpers import AS_OF
from tests.tools.compare_prices import Difference, Reason, reasons

DATA = catalogue.read()


ROWS = {
    (row.tier, row.token_kind): row
    for row in DATA.prices
    if (row.model, row.surface, row.band_min_tokens) == ("gpt-4.1", "first_party", None)
}
OURS = ROWS["standard", "input"]


def candidate(rate: object, **changes: Any) -> Candidate:
    """A claim about gpt-4.1's standard input rate."""
    values: dict[str, Any] = {
        "provider": "openai", "surface": "first_party", "model": "gpt-4.1", "snapshot": None,
        "tier": "standard", "region_scope": "any", "band_min_tokens": None, "band_operator": None,
        "token_kind": "input", "usd_per_mtok": Decimal(str(rate)), "effective_from": None,
        "effective_to": None, "from_basis": "", "source": "litellm", "digest": "d" * 64,
        "key": "gpt-4.1 input_cost_per_token",
    }  # fmt: skip
    return Candidate(**values | changes)


def compare(*candidates: Candidate) -> update.Update:
    found = Import("litellm", "litellm, x.json", "d" * 64, candidates, ())
    return update.compare(found, DATA, AS_OF)


def verdicts(done: update.Update) -> list[str]:
    return [finding.verdict for finding in done.findings]


def test_the_same_rate_is_only_counted() -> None:
    assert OURS.usd_per_mtok is not None
    done = compare(
        candidate(OURS.usd_per_mtok), candidate(OURS.usd_per_mtok, snapshot="2025-04-14")
    )
    assert (done.same, verdicts(done)) == (2, [])
    assert OURS not in done.gone
    assert ROWS["standard", "output"] in done.gone


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "contradicted"),
        ({"effective_from": date(2026, 11, 1), "from_basis": "change"}, "changed"),
        # A day on which somebody looked is not the day of a change:
        ({"effective_from": date(2026, 10, 14), "from_basis": "first_seen"}, "contradicted"),
        ({"effective_from": OURS.effective_from, "from_basis": "change"}, "contradicted"),
        ({"tier": "batch", "token_kind": "cached_input"}, "contradicted"),  # ours: none published
        ({"token_kind": "audio_input"}, "new"),
        ({"model": "gpt-99"}, "new"),
    ],
)
def test_a_different_rate_gets_its_verdict(changes: dict[str, Any], verdict: str) -> None:
    done = compare(candidate("1.9", **changes))
    assert (verdicts(done), done.same) == ([verdict], 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"effective_from": date(2027, 1, 1), "from_basis": "change"}, "begins on a later day"),
        ({"effective_to": AS_OF}, "history: replaced by then"),
        ({"surface": "quicksilver"}, "seller not on the price card"),
        (
            {"model": "gpt-99", "region_scope": "eu"},
            "rate of a region that modifiers.csv does not name",
        ),
        ({"model": "gpt-4.5-preview"}, "model whose rows of ours have ended or not begun"),
    ],
)  # fmt: skip
def test_what_is_not_compared_is_counted(changes: dict[str, Any], reason: str) -> None:
    done = compare(candidate("1.9", **changes))
    assert verdicts(done) == []
    assert [entry.reason for entry in done.left_out] == [reason]


@pytest.mark.parametrize("edge", [(271999, ">"), (272000, ">="), (272000, ">")])
def test_a_band_s_edge_may_be_one_token_off(edge: tuple[int, str]) -> None:
    ours = next(
        row for row in DATA.prices
        if (row.model, row.surface, row.tier, row.token_kind, row.band_min_tokens)
        == ("gpt-5.4", "first_party", "standard", "input", 272000)
    )  # fmt: skip
    tokens, operator = edge
    done = compare(
        candidate(
            ours.usd_per_mtok, model="gpt-5.4", band_min_tokens=tokens, band_operator=operator
        )
    )
    assert (done.same, verdicts(done)) == (1, [])


def test_one_rate_under_two_names_is_one_finding() -> None:
    done = compare(candidate("1.9"), candidate("1.9", snapshot="2025-04-14", key="dated"))
    assert verdicts(done) == ["contradicted"]


def test_a_regional_rate_is_compared_with_our_factor() -> None:
    line = next(
        one for one in DATA.modifiers if one.provider == "openai" and one.surface == "first_party"
    )
    model, region = line.models.split()[0], line.regions.split()[0]
    ours = next(
        row for row in DATA.prices
        if (row.model, row.surface, row.tier, row.token_kind, row.band_min_tokens)
        == (model, "first_party", "standard", "input", None)
    )  # fmt: skip
    assert ours.usd_per_mtok is not None
    rate = ours.usd_per_mtok * line.factor
    done = compare(candidate(rate, model=model, region_scope=region))
    assert (done.same, verdicts(done)) == (1, [])


@pytest.mark.parametrize("slip", [Decimal(100), Decimal("0.01"), Decimal(1000)])
def test_a_file_in_another_unit_is_refused(slip: Decimal) -> None:
    claims = [
        candidate(row.usd_per_mtok * slip, model=row.model, snapshot=row.snapshot)
        for row in DATA.prices
        if row.usd_per_mtok
        and (row.surface, row.tier, row.token_kind) == ("first_party", "standard", "input")
        and row.provider == "openai"
    ]
    with pytest.raises(InputError, match="times ours") as refusal:
        compare(*claims)
    assert "cents" in refusal.value.hint


def test_the_lines_name_both_sides() -> None:
    hostile = candidate("1.9", key="gpt-4.1\x1b[2J\ninput", doubt="perhaps")
    text = list(update.lines(compare(hostile, candidate(7, model="gpt-99"))))
    assert text[0] == f"litellm, x.json (sha256 {'d' * 16}) beside ours on 2026-11-22:"
    assert text[1].startswith("same 0, changed 0, contradicted 1, new 1, gone ")
    assert (
        f"  openai first_party gpt-4.1 standard input: theirs 1.9, ours 2 ({OURS.where}, "
        f"{OURS.source}, verified {OURS.verified_on})"
    ) in text
    assert "    litellm: gpt-4.1 input [perhaps]" in text
    assert "  openai first_party gpt-99: standard input 7" in text
    assert any(line.endswith("(retired)") or "(retired):" in line for line in text)
    assert all(line.isprintable() for line in text)


def test_candidates_can_be_pasted_and_read_again(tmp_path: Path) -> None:
    out = tmp_path / "candidates.csv"
    done = compare(
        candidate("1.9", doubt="perhaps"),
        candidate(7, model="gpt-99", band_min_tokens=200000, band_operator=">"),
    )
    assert update.write(done, out) == 2
    with out.open(encoding="utf-8", newline="") as lines:
        written = list(csv.DictReader(lines))
    assert tuple(written[0]) == csv_file.COLUMNS
    assert written[0]["note"].startswith(f"contradicted: ours 2 ({OURS.where}")
    assert "[perhaps]" in written[0]["note"]
    assert f"sha256 {'d' * 16}" in written[0]["note"]
    again = importers.read("csv", out, DATA).candidates
    assert [(one.model, one.usd_per_mtok, one.band_min_tokens) for one in again] == [
        ("gpt-4.1", Decimal("1.9"), None),
        ("gpt-99", Decimal(7), 200000),
    ]
    assert {one.source for one in again} == {"litellm"}


def test_nothing_is_written_into_the_price_data() -> None:
    before = catalogue.digest(catalogue.folder())
    for name in ("rates/candidates.csv", "candidates.csv"):
        with pytest.raises(InputError, match="inside the price data"):
            update.write(compare(candidate("1.9")), catalogue.folder() / name)
    assert catalogue.digest(catalogue.folder()) == before


def test_an_unwritable_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        update.write(compare(candidate("1.9")), tmp_path / "absent" / "candidates.csv")


def test_every_source_of_a_candidate_is_a_source_of_ours() -> None:
    """So that a pasted line passes the checks."""
    assert {"genai-prices", "litellm", "portkey"} <= DATA.sources


DIFFERENCE = Difference(
    "litellm", "openai", "first_party", "gpt-5", "batch", "input", Decimal(2), None, "here"
)
REASON = Reason("litellm", "openai", "first_party", "gpt-5 gpt-4.1*", "batch", "*", "*", "-", "why")


@pytest.mark.parametrize(
    ("changes", "explained"),
    [
        ({}, True),
        ({"model": "gpt-5-mini"}, False),
        ({"model": "gpt-4.1-mini", "token_kind": "cached_input>272000"}, True),
        ({"tier": "flex"}, False),
        ({"source_name": "genai-prices"}, False),
        ({"ours": Decimal(1)}, False),
        ({"theirs": None}, False),
    ],
)
def test_a_reason_explains_only_what_it_is_about(changes: dict[str, Any], explained: bool) -> None:
    values = dict(vars(DIFFERENCE)) | changes
    assert REASON.explains(Difference(**values)) is explained


@pytest.mark.parametrize(
    ("theirs", "ours", "explained"),
    [
        ("2", "1", True),
        ("2.0", "*", True),
        ("3", "*", False),
        ("x2", "*", True),
        ("x3", "*", False),
    ],
)
def test_a_reason_may_carry_a_condition(theirs: str, ours: str, explained: bool) -> None:
    values = dict(vars(REASON)) | {"theirs": theirs, "ours": ours}
    difference = dict(vars(DIFFERENCE)) | {"ours": Decimal(1)}
    assert Reason(**values).explains(Difference(**difference)) is explained


def test_every_disagreement_says_why() -> None:
    known = reasons(catalogue.folder() / "disagreements.csv")
    assert len(set(known)) == len(known) > 0
    for line in known:
        assert line.reason
        if "*" in line.model:
            assert {line.theirs, line.ours} != {"*"}, "a line for a class carries its condition"
