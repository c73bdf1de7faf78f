"""Live services that look like batch stay out of it, and batch that looks live gets in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from llm_audit import schema
from llm_audit.policy import Policy
from tests.rules.adversaries import (
    BATCH,
    BATCH_UNCANCELLED,
    LIVE,
    LIVE_UNCANCELLED,
    Calls,
    without_bodies,
)
from tests.rules.labelling import fetch, label_calls
from tests.support import create_stored_tables

WORKLOADS = {**LIVE, **BATCH}
Outcome = dict[str, dict[str, float]]
VARIANTS = ("full", "full, words off", "no bodies", "no bodies, words off")


def labelled(folder: Path, callers: Mapping[str, Calls], policy: Policy) -> Outcome:
    """Share of each label by caller; a call keeps a caller it was given, or None."""
    path = folder / "calls.jsonl"
    names = {name for calls in callers.values() for call in calls for name in call}
    with path.open("w", encoding="utf-8") as file:
        for name, calls in callers.items():
            for n, call in enumerate(calls):
                row = {"caller": name, "source_format": "test", "status": "ok", **call}
                row["call_id"] = f"{name}/{n}"
                if row["caller"] == "svc":
                    row["caller"] = name
                file.write(json.dumps(row, default=datetime.isoformat) + "\n")
    types = {
        c.name: c.sql_type for c in schema.CALLS if c.name in {*names, "source_format", "status"}
    }
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in types.items())
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        connection.execute(
            f"INSERT INTO calls BY NAME SELECT * FROM read_json('{path}', "
            f"format = 'newline_delimited', columns = {{{columns}}})"
        )
        label_calls(connection, policy)
        rows = fetch(
            connection,
            "SELECT split_part(call_id, '/', 1) AS name, label, count(*) AS calls, "
            "CAST(count(*) AS DOUBLE) / sum(count(*)) OVER (PARTITION BY name) AS share "
            "FROM labels GROUP BY name, label",
        )
    shares: Outcome = {name: {} for name in callers}
    for row in rows:
        shares[row["name"]][row["label"]] = row["share"]
    return shares


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("adversaries")
    quiet = folder / "llm-audit.toml"
    quiet.write_text("words = false\n", encoding="utf-8")
    policies = {"": Policy.load(), ", words off": Policy.load(quiet)}
    whole = {name: make() for name, make in WORKLOADS.items()}
    bare = {name: without_bodies(calls) for name, calls in whole.items()}
    return {
        copy + words: labelled(folder, calls, policy)
        for copy, calls in (("full", whole), ("no bodies", bare))
        for words, policy in policies.items()
    }


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", LIVE)
def test_a_live_service_that_looks_like_batch_stays_out(
    outcomes: dict[str, Outcome], name: str, variant: str
) -> None:
    assert outcomes[variant][name].get("batch_eligible", 0.0) == 0.0


@pytest.mark.parametrize("variant", VARIANTS[:2])
@pytest.mark.parametrize("name", BATCH)
def test_batch_that_looks_live_gets_in(
    outcomes: dict[str, Outcome], name: str, variant: str
) -> None:
    assert outcomes[variant][name].get("batch_eligible", 0.0) >= 0.95


@pytest.mark.parametrize("variant", VARIANTS[2:])
def test_without_bodies_half_of_it_is_still_seen(
    outcomes: dict[str, Outcome], variant: str
) -> None:
    seen = [name for name in BATCH if outcomes[variant][name].get("batch_eligible", 0.0) >= 0.95]
    assert len(seen) >= 0.6 * len(BATCH), seen


@pytest.fixture(scope="module")
def uncancelled(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("uncancelled")
    makers = {**LIVE_UNCANCELLED, **BATCH_UNCANCELLED}
    return labelled(folder, {name: make() for name, make in makers.items()}, Policy.load())


@pytest.mark.parametrize("name", LIVE_UNCANCELLED)
def test_live_work_stays_out_where_a_log_records_no_cancels(
    uncancelled: Outcome, name: str
) -> None:
    assert uncancelled[name].get("batch_eligible", 0.0) == 0.0


@pytest.mark.parametrize("name", BATCH_UNCANCELLED)
def test_batch_gets_in_where_a_log_records_no_cancels(uncancelled: Outcome, name: str) -> None:
    assert uncancelled[name].get("batch_eligible", 0.0) >= 0.95
