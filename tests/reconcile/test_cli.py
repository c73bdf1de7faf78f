"""`llm-audit reconcile` from the files of a user: a Console cost CSV and an OpenAI usage page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llm_audit import cli
from tests.cli.test_cli import Outcome

Run = Callable[..., Outcome]

COST_CSV = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,\
cost_type,inference_geo,speed,api_key_id,api_key_status
2026-11-03,Claude Haiku 4.5,Default,web,message,≤ 200k,input_no_cache,0.40,0.40,token,,,ak_1,active
2026-11-04,Claude Haiku 4.5,Default,web,message,≤ 200k,input_no_cache,1.01,1.01,token,,,ak_1,active
2026-11-04,Claude Haiku 4.5,Default,web,message,≤ 200k,output,0.50,0.50,token,,,ak_1,active
2026-11-04,Claude Haiku 4.5,Default,lab,message,≤ 200k,output,0.09,0.09,token,,,ak_2,active
2026-11-04,Claude Haiku 4.5,Default,web,batch,≤ 200k,output,0.11,0.11,token,,,ak_1,active
2026-11-04,Claude Opus 4.5,Default,web,message,≤ 200k,output,0.30,0.30,token,,,ak_1,active
2026-11-04,,Default,web,message,,,0.02,0.02,web_search,,,ak_1,active
2026-11-08,Claude Haiku 4.5,Default,web,message,≤ 200k,output,0.20,0.20,token,,,ak_1,active
"""
EXPECTED = {
    # The 8th, and of the $0.40 of the 3rd half, as the log begins in its middle.
    "outside_period": "0.40",
    "model_not_in_log": "0.30",
    "key_not_in_log": "0.09",
    "batch_share": "0.11",
    "tool_fees": "0.00",
    "unpriced": "0.00",
    # 1,008,000 tokens at $1 a million are $1.008, which the Console shows as $1.01.
    "rounding": "0.002",
    # Of the 3rd $0.10 more (ours are 100,000 tokens), and a search that no call of ours made.
    "unexplained": "0.12",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_AUDIT_DB", raising=False)

    def run(*arguments: str | Path) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return run


def call(number: int, day: int, model: str, **values: Any) -> dict[str, Any]:
    """A record of the generic format, whose columns carry our own names."""
    return {
        "call_id": f"c{number}",
        "provider_name": "openai" if model.startswith("gpt") else "anthropic",
        "response_model": model,
        "started_at": f"2026-11-{day:02}T12:00:00Z",
        "status": "ok",
        "service_tier": "standard",
        "api_key_alias": "web",
        "input_tokens": 0,
        "output_tokens": 0,
        **values,
    }


@pytest.fixture
def log(tmp_path: Path, run: Run) -> Path:
    haiku, gpt = "claude-haiku-4-5-20251001", "gpt-4o-2024-08-06"
    records = [
        call(1, 3, haiku, input_tokens=100_000),
        call(2, 4, haiku, input_tokens=1_008_000, output_tokens=100_000),
        call(3, 6, haiku),
        call(4, 3, gpt),
        call(5, 4, gpt, input_tokens=1000, output_tokens=100),
        call(6, 6, gpt),
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert run("ingest", path).code == 0
    return path


@pytest.fixture
def cost_csv(tmp_path: Path) -> Path:
    path = tmp_path / "claude_api_cost_2026_11_03_to_2026_11_08.csv"
    path.write_text(COST_CSV, encoding="utf-8")
    return path


def usage_page(tmp_path: Path, *, name: str = "usage.json", **changes: Any) -> Path:
    start = 1_793_750_400  # 2026-11-04T00:00:00Z
    result = {
        "object": "organization.usage.completions.result", "input_tokens": 1000,
        "input_cached_tokens": 0, "output_tokens": 100, "num_model_requests": 1,
        "project_id": None, "user_id": None, "api_key_id": None, "model": "gpt-4o-2024-08-06",
        "batch": False, "service_tier": None, **changes,
    }  # fmt: skip
    batch = result | {"batch": True, "input_tokens": 400, "output_tokens": 0}
    results = [result, batch] if result["model"] else [result]
    page = {
        "object": "page",
        "data": [
            {"object": "bucket", "start_time": start, "end_time": start + 86_400,
             "results": results}
        ],
        "has_more": False,
        "next_page": None,
    }  # fmt: skip
    path = tmp_path / name
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


def test_a_console_cost_csv(run: Run, log: Path, cost_csv: Path) -> None:
    outcome = run("reconcile", cost_csv, "--format", "json")
    assert outcome.code == 0, outcome.err
    [whole] = json.loads(outcome.out)["comparisons"]
    parts = {part["cause"]: part["amount"] for part in whole["parts"]}
    assert parts == EXPECTED
    assert (whole["theirs"], whole["ours"], whole["gap"]) == ("2.63", "1.608", "1.022")


def test_an_openai_usage_page(run: Run, log: Path, tmp_path: Path) -> None:
    outcome = run("reconcile", usage_page(tmp_path), "--format", "json")
    assert outcome.code == 0, outcome.err
    [whole] = json.loads(outcome.out)["comparisons"]
    assert (whole["basis"], whole["theirs"], whole["ours"]) == ("tokens", 1500, 1100)
    assert {p["cause"]: p["amount"] for p in whole["parts"] if p["amount"]} == {"batch_share": 400}


def test_the_same_page_without_models_is_set_aside(run: Run, log: Path, tmp_path: Path) -> None:
    coarse = usage_page(tmp_path, name="coarse.json", model=None, batch=None, input_tokens=1400)
    outcome = run("reconcile", usage_page(tmp_path), coarse, "--format", "json")
    [whole] = json.loads(outcome.out)["comparisons"]
    assert (whole["theirs"], whole["lines_set_aside"]) == (1500, 2)


def test_without_files_the_ingested_exports_are_taken(
    run: Run, log: Path, cost_csv: Path, tmp_path: Path
) -> None:
    assert run("ingest", cost_csv, usage_page(tmp_path)).code == 0
    outcome = run("reconcile")
    assert outcome.code == 0, outcome.err
    assert "Anthropic, USD, per day x model x token kind (UTC)" in outcome.out
    assert "OpenAI, tokens, per day x model x token kind (UTC)" in outcome.out
    assert "all of the difference is explained" in outcome.out


def test_a_table_or_a_file(run: Run, log: Path, cost_csv: Path, tmp_path: Path) -> None:
    assert "models not in the log" in run("reconcile", cost_csv).out
    outcome = run("reconcile", "--out", tmp_path / "gap.json")
    assert outcome.code == 0
    assert "Anthropic's export has $2.63" in outcome.out
    assert json.loads((tmp_path / "gap.json").read_text(encoding="utf-8"))["comparisons"]
    assert run("reconcile", "--out", tmp_path / "nowhere" / "gap.json").code == 1


def test_the_report_says_that_it_was_reconciled(run: Run, log: Path, cost_csv: Path) -> None:
    assert run("ingest", cost_csv).code == 0
    found = json.loads(run("report", "--format", "json").out)["data_quality"]["reconciliation"]
    assert found["usd"][0]["theirs"] == "2.63"
    assert "Reconciled with Anthropic's export" in run("report").out


def test_what_is_missing_is_said(run: Run, log: Path, tmp_path: Path) -> None:
    outcome = run("reconcile")
    assert outcome.code == 1
    assert "no usage or cost export" in outcome.err
    strange = tmp_path / "strange.csv"
    strange.write_text("a,b\n1,2\n", encoding="utf-8")
    outcome = run("reconcile", strange)
    assert outcome.code == 1
    assert "no known export" in outcome.err


def test_an_export_alone_is_not_enough(run: Run, cost_csv: Path) -> None:
    assert run("ingest", cost_csv).code == 0
    outcome = run("reconcile")
    assert outcome.code == 1
    assert "no calls" in outcome.err


def test_names_of_an_export_cannot_paint_the_terminal(run: Run, log: Path, tmp_path: Path) -> None:
    page = usage_page(tmp_path, model="gpt\u202e\x1b[31m-red")
    outcome = run("reconcile", page)
    assert outcome.code == 0
    assert outcome.out.replace("\n", "").isprintable()


# Lines and pages that are missing


def costs_page(tmp_path: Path, *results: dict[str, Any], name: str = "costs.json") -> Path:
    start = 1_793_750_400
    span = {"object": "bucket", "start_time": start, "end_time": start + 86_400}
    path = tmp_path / name
    page = {"object": "page", "data": [{**span, "results": results}], "has_more": False}
    path.write_text(json.dumps(page), encoding="utf-8")
    return path


def cost(value: str, item: str, currency: str = "usd") -> dict[str, Any]:
    amount = {"value": value, "currency": currency}
    return {"object": "organization.costs.result", "amount": amount, "line_item": item}


FAITHFUL = (cost("0.0025", "gpt-4o-2024-08-06, input"), cost("0.001", "gpt-4o-2024-08-06, output"))


def comparison(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    [whole] = json.loads(outcome.out)["comparisons"]
    assert isinstance(whole, dict)
    return whole


def test_with_rejected_lines_nothing_is_the_same(run: Run, log: Path, tmp_path: Path) -> None:
    good = comparison(run("reconcile", costs_page(tmp_path, *FAITHFUL), "--format", "json"))
    assert "the same to the last decimal" in good["verdict"]
    euros = costs_page(tmp_path, *FAITHFUL, cost("3", "gpt-4o, input", "eur"), name="eur.json")
    whole = comparison(run("reconcile", euros, "--format", "json"))
    assert (whole["lines_rejected"], whole["unexplained_size"]) == (1, "0.00")
    assert whole["verdict"].endswith("but 1 line of the export was rejected.")
    assert "rejected: 1 line of the export" in run("reconcile", euros).out
    report = json.loads(run("report", "--format", "json").out)
    assert report["data_quality"]["reconciliation"]["usd"][0]["lines_rejected"] == 1
    assert "1 line of the export could not be read" in " ".join(run("report").out.split())


def test_missing_pages_are_warned_of_and_remembered(run: Run, log: Path, tmp_path: Path) -> None:
    first = usage_page(tmp_path)
    text = json.loads(first.read_text(encoding="utf-8")) | {"has_more": True, "next_page": "AAA"}
    first.write_text(json.dumps(text), encoding="utf-8")
    outcome = run("reconcile", first, "--format", "json")
    assert "usage.json: the export stops at page AAA" in outcome.err
    assert comparison(outcome)["pages_missing"] == 1
    again = run("reconcile", first)
    assert "pages of the export are missing" in again.out
    assert "all of the difference is explained" not in again.out
    assert "pages of the export are missing" in " ".join(run("report").out.split())
    text |= {"has_more": False, "next_page": None}
    for bucket in text["data"]:
        bucket["start_time"] += 86_400
        bucket["end_time"] += 86_400
    second = tmp_path / "second.json"
    second.write_text(json.dumps(text), encoding="utf-8")
    assert comparison(run("reconcile", first, second, "--format", "json"))["pages_missing"] == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("empty.csv", "", "is empty"),
        ("header.csv", COST_CSV.split("2026-11-03", maxsplit=1)[0], "holds no usage"),
        ("days.json", "{}", "holds no usage"),
        ("euros.json", "{}", "1 line was rejected, no other: an amount that is not in US dollars"),
    ],
)
def test_a_file_with_nothing_to_compare_says_so(
    run: Run, log: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    if name == "euros.json":
        costs_page(tmp_path, cost("3", "gpt-4o, input", "eur"), name=name)
    if name == "days.json":
        costs_page(tmp_path, name=name)
    for _ in range(2):
        outcome = run("reconcile", path)
        assert outcome.code == 1
        assert said in outcome.err
    beside = run("reconcile", path, costs_page(tmp_path, *FAITHFUL, name="good.json"))
    assert beside.code == 0
    assert f"{name}" in beside.err
    assert said in beside.err


STORED = ("calls", "rejects", "ingested_files", "usage_buckets", "export_files")


def stored(run: Run) -> list[str]:
    return [run("sql", f"SELECT count(*) FROM {table}").out for table in STORED]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
def test_a_log_is_refused_before_anything_is_stored(
    run: Run, log: Path, tmp_path: Path, ending: str
) -> None:
    more = tmp_path / f"more.{ending}"
    records = [call(7, 4, "gpt-4o"), call(8, 4, "gpt-4o")]
    if ending == "csv":
        rows = [",".join(map(str, record.values())) for record in records]
        more.write_text("\n".join([",".join(records[0]), *rows]) + "\n", encoding="utf-8")
    else:
        lines = [json.dumps(record) for record in records]
        packed = "[" + ",".join(lines) + "]" if ending == "json" else "\n".join(lines) + "\n"
        more.write_text(packed, encoding="utf-8")
    before = stored(run)
    outcome = run("reconcile", usage_page(tmp_path), more)
    assert outcome.code == 1
    assert "is a log, not an export" in outcome.err
    assert "llm-audit ingest" in outcome.err
    assert stored(run) == before
    assert run("ingest", more).code == 0


def test_a_page_behind_which_calls_stand_is_a_log(run: Run, log: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.jsonl"
    page = usage_page(tmp_path).read_text(encoding="utf-8")
    mixed.write_text(f"{page}\n{json.dumps(call(7, 4, 'gpt-4o'))}\n", encoding="utf-8")
    before = stored(run)
    assert "line 2 is a call" in run("reconcile", mixed).err
    assert stored(run) == before


# Which exports are compared


def test_only_the_files_named_are_compared(
    run: Run, log: Path, cost_csv: Path, tmp_path: Path
) -> None:
    assert run("ingest", cost_csv).code == 0
    page = usage_page(tmp_path)
    assert comparison(run("reconcile", page, "--format", "json"))["provider_name"] == "openai"
    assert len(json.loads(run("reconcile", "--format", "json").out)["comparisons"]) == 2
    run("reconcile", page)
    found = json.loads(run("report", "--format", "json").out)["data_quality"]["reconciliation"]
    assert (len(found["usd"]), len(found["tokens"])) == (1, 1), "the report takes all there are"


@pytest.mark.parametrize("same_bytes", [True, False])
def test_a_file_is_compared_whole_also_where_another_one_held_its_lines(
    run: Run, log: Path, cost_csv: Path, tmp_path: Path, *, same_bytes: bool
) -> None:
    whole = comparison(run("reconcile", cost_csv, "--format", "json"))
    longer = tmp_path / "longer.csv"
    last = "2026-11-09,Claude Haiku 4.5,Default,web,message,≤ 200k,output,9,9,token,,,ak_1,active\n"
    longer.write_text(COST_CSV + ("" if same_bytes else last), encoding="utf-8")
    again = comparison(run("reconcile", longer, "--format", "json"))
    assert again["theirs"] == ("2.63" if same_bytes else "11.63")
    assert again["lines"] == whole["lines"] + (not same_bytes)
    assert comparison(run("reconcile", cost_csv, "--format", "json"))["theirs"] == "2.63"


def test_an_export_can_be_forgotten_and_read_again(
    run: Run, log: Path, cost_csv: Path, tmp_path: Path
) -> None:
    run("ingest", cost_csv)
    page = usage_page(tmp_path)
    assert "all of the difference is explained" in run("reconcile", page).out
    outcome = run("reconcile", "--forget", page)
    assert (outcome.code, "usage.json: 5 usage buckets" in outcome.out) == (0, True), outcome
    assert comparison(run("reconcile", "--format", "json"))["provider_name"] == "anthropic"
    assert run("reconcile", page).code == 0
    assert "5 usage buckets" in run("reconcile", "--forget", page).out
    assert "no such file was read" in run("reconcile", "--forget", page).err


def test_what_shares_records_is_forgotten_with_it(
    run: Run, log: Path, cost_csv: Path, tmp_path: Path
) -> None:
    longer = tmp_path / "longer.csv"
    longer.write_text(COST_CSV + COST_CSV.splitlines()[-1].replace("-08", "-09") + "\n")
    run("ingest", cost_csv, longer)
    outcome = run("reconcile", "--forget", cost_csv)
    assert "longer.csv, too" in outcome.out
    assert run("reconcile").code == 1
    assert comparison(run("reconcile", longer, "--format", "json"))["theirs"] == "2.83"


def test_a_log_cannot_be_forgotten(run: Run, log: Path) -> None:
    outcome = run("reconcile", "--forget", log)
    assert outcome.code == 1
    assert "6 calls" in outcome.err
    assert run("reconcile", "--forget", log, log).code == 2


def test_standard_input_is_no_export(run: Run, log: Path) -> None:
    assert "standard input" in run("reconcile", "-").err
