"""The CSV of workloads: stable columns, exact amounts, harmless cells."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from llm_audit.report import Result, to_csv, to_json
from llm_audit.report.csv_text import csv_text
from tests.report.everywhere import TEXTS, everywhere, golden, many

IDS = [ascii(text[:24]) for text in TEXTS]
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-\d+)?")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_columns_are_stable() -> None:
    header = to_csv(golden("empty")).split("\r\n")[0]
    assert header.split(",") == [
        *("workload_id", "label", "caller", "operation_name", "provider_name", "model"),
        *("first_call_at", "last_call_at", "active_days", "confidence", "calls", "priced_calls"),
        *("unpriced_calls", "unpriced_tokens", "already_batch_calls", "already_batch_cost"),
        *("list_cost", "contracted_cost", "effective_cost", "saving_conservative"),
        *("saving_expected", "saving_best", "forward_effective_cost"),
        *("forward_saving_conservative", "forward_saving_expected", "forward_saving_best"),
        *("projected_saving_conservative", "flex_cost", "peak_day_calls", "deadline_risk"),
        *("worth_it", "advice", "note", "criteria.independence", "criteria.tolerance"),
        *("criteria.storage", "reasons", "activity.duration_p50_ms", "activity.duration_p95_ms"),
        *("activity.streaming_share", "activity.input_tokens"),
        *("activity.cache_read_input_tokens", "activity.output_tokens", "batch_fit.requests"),
        *("batch_fit.input_tokens", "batch_fit.input_bytes", "batch_fit.max_requests"),
        *("batch_fit.max_bytes", "batch_fit.queue_note", "batch_fit.window_hours"),
        "batch_fit.batches",
    ]


@pytest.mark.parametrize("name", ["mixed", "one_day", "empty"])
def test_every_cell_is_the_value_of_its_key(name: str) -> None:
    result = golden(name)
    documents = json.loads(to_json(result))["workloads"]
    rows = rows_of(to_csv(result))
    assert len(rows) == len(documents)
    for row, document in zip(rows, documents, strict=True):
        for column, cell in row.items():
            value = document
            for key in column.split("."):
                value = value and value[key]
            if "saving_" in column and document["label"] == "realtime":
                value = None  # no claim
            if column == "reasons":
                value = " ".join(reason["code"] for reason in value)
            if value is None or isinstance(value, bool):
                value = {None: "", True: "true", False: "false"}[value]
            assert cell == str(value), column


def test_amounts_are_exact() -> None:
    mixed = golden("mixed")
    costs = [Decimal(row["effective_cost"] or 0) for row in rows_of(to_csv(mixed))]
    assert sum(costs) == mixed.totals.effective_cost


def test_lines_end_as_rfc_4180_says() -> None:
    text = to_csv(golden("mixed"))
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_hostile_text_is_one_harmless_cell(text: str) -> None:
    hostile: Result = everywhere(golden("mixed"), text)
    for row in rows_of(to_csv(hostile)):
        assert None not in row
        for cell in row.values():
            assert cell is not None
            assert cell.isprintable()
            formula = cell.lstrip(" \"'").startswith(("=", "+", "-", "@"))
            assert not formula or cell.startswith("'") or NUMBER.fullmatch(cell)


def test_a_negative_number_is_no_formula() -> None:
    assert csv_text(["a", "b"], [[Decimal("-0.50"), "-0.50"]]) == "a,b\r\n-0.50,'-0.50\r\n"


def test_many_rows() -> None:
    assert len(rows_of(to_csv(many(golden("mixed"), 500)))) == 500
