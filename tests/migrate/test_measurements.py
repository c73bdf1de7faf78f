"""What a migration measured goes into the policy, and the next report counts on it: end to end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import cli
from llm_audit.cli.measuring import NOTE
from llm_audit.migrate import measurements, rates, run
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.measurements import Measurements, _Cached, _hits, measure
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.plan import Settings
from llm_audit.migrate.vendor import Driver
from llm_audit.policy import Measured, Policy, recording
from llm_audit.policy.parts import CacheHits, Turnaround
from tests.migrate import logs
from tests.migrate.engine import START, drive, scenario
from tests.migrate.fake.process import FakeProcess
from tests.migrate.test_verify import OUTCOME
from tests.support import create_stored_tables

CALLS = 1_100
"""22 batches of 50, the first of them a canary of 20."""
READ_IN_BATCH = 200
"""Of the 400 tokens of every prompt, as the fake counts them."""
LOGGED_READ = 320
"""Of 10,000 tokens that the log tells: 200 / 320 is 0.625, which is written as 0.62."""


def _call(number: int) -> logs.Record:
    """A call of GPT-5, which has a rate for tokens read from the cache in a batch."""
    text = f"Say [[n{number:04}]]".ljust(1_559, ".")
    record = logs.openai_chat(number, model="gpt-5", messages=[{"role": "user", "content": text}])
    record["response"]["model"] = "gpt-5-2025-08-07"
    record["response"]["usage"] = {
        "prompt_tokens": 10_000,
        "completion_tokens": 300,
        "prompt_tokens_details": {"cached_tokens": LOGGED_READ},
    }
    return record


@dataclass
class Bought:
    """A finished migration beside its audit, in a folder of its own, where commands run."""

    folder: Path

    def measure(self, run_id: str | None = None) -> Measurements:
        with (
            duckdb.connect(str(self.folder / "audit.duckdb")) as connection,
            open_ledger(self.folder / "migrate") as ledger,
        ):
            return measure(connection, ledger, run_id)

    def run(self, *words: str) -> int:
        return cli.run([*words, "--db", str(self.folder / "audit.duckdb")])

    def verify(self, *words: str) -> int:
        return self.run("migrate", "verify", "--write-policy", *words)

    def report(self) -> dict[str, Any]:
        assert self.run("report", "--out", "run.json") == 0
        found: dict[str, Any] = json.loads(Path("run.json").read_text(encoding="utf-8"))
        return found

    @property
    def policy(self) -> Path:
        return self.folder / "llm-audit.toml"


@pytest.fixture(scope="module")
def finished(
    vendors: FakeProcess, made: Mapping[Vendor, Driver], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One of the batches takes 3 hours, the others 40 minutes, the canary one."""
    place = tmp_path_factory.mktemp("measured")
    log = place / "log.jsonl"
    log.write_bytes(logs.lines(_call(number) for number in range(CALLS)))
    times = [{"nth": 1, "ends_after": 60}, {"nth": 9, "ends_after": 10_800}, {"ends_after": 2_400}]
    vendors.play(scenario(batches=[{**life, "cache_read": 0.5} for life in times]))
    with duckdb.connect(str(place / "audit.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        logs.audit(connection, log)
        plan = logs.make(connection, place / "migrate" / "run-1", settings=Settings(max_rows=50))
        with open_ledger(place / "migrate") as ledger:
            run.begin(ledger, plan, rates.of_plan(connection, plan), {}, None)
    drive(place / "migrate", made, vendors)
    return place


@pytest.fixture
def done(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bought:
    """A copy of it to work in."""
    place = tmp_path / "audit"
    shutil.copytree(finished, place)
    monkeypatch.chdir(place)
    return Bought(place)


def test_what_was_measured(done: Bought) -> None:
    found = done.measure()
    [entry] = found.entries
    assert entry.names == ("openai", "gpt-5")
    assert entry.hits == CacheHits(Decimal("0.62"), CALLS)
    assert entry.turnaround is not None
    assert entry.turnaround.batches == 22
    # The fake ends a batch when it is looked at, minutes after its time.
    assert 40 * 60 <= entry.turnaround.p90_s <= 60 * 60
    assert 180 * 60 <= entry.turnaround.max_s <= 240 * 60
    assert entry.turnaround.max_s % 60 == entry.turnaround.p90_s % 60 == 0
    assert entry.measured_on == datetime.fromtimestamp(START, UTC).date()
    assert found.lacking == ()
    assert done.measure("run-1") == found


def test_a_cancelled_run_tells_no_turnaround(done: Bought) -> None:
    with open_ledger(done.folder / "migrate") as ledger:
        ledger.set_run_status("run-1", "cancelled")
    found = done.measure()
    [entry] = found.entries
    assert entry.hits == CacheHits(Decimal("0.62"), CALLS)
    assert entry.turnaround is None
    assert found.lacking == (
        "openai gpt-5: 0 batches came back, canaries apart; a turnaround takes 20",
    )


def test_what_was_written_once_may_be_read_by_others() -> None:
    """In a batch another request is the first: the share is of all, none beyond what it had."""
    outcomes = [
        replace(OUTCOME, call_id=f"c{n}", cache_read_input_tokens=read)
        for n, read in enumerate([700, 0, 2_000])
    ]
    cached = {"c0": _Cached(0, 1_000), "c1": _Cached(1_000, 0), "c2": _Cached(1_000, 0)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measurements, "LEAST_REQUESTS", 2)
        hits, why = _hits(outcomes, cached)
        assert (hits, why) == (CacheHits(Decimal("0.85"), 2), "")  # (700 + 1,000) / 2,000
        full = [replace(o, cache_read_input_tokens=1_000) for o in outcomes]
        assert _hits(full, cached)[0] == CacheHits(Decimal(1), 2)
        assert _hits(outcomes[:1], cached) == (
            None,
            "0 answered requests had read from the cache when they were logged; a share of cache "
            "hits takes 2",
        )


# --- the whole way --------------------------------------------------------------------------------


def test_the_next_report_expects_what_was_measured(
    done: Bought, capsys: pytest.CaptureFixture[str]
) -> None:
    before = done.report()
    assert done.run("migrate", "verify") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("Measured here:") == 1
    assert "`llm-audit migrate verify --write-policy`" in told
    assert not done.policy.exists(), "nothing is written unasked"

    assert done.verify() == 0
    out, err = capsys.readouterr()
    assert "--write-policy`" not in out, "it was given"
    written = done.policy.read_text(encoding="utf-8")
    [entry] = Policy.load(done.policy).measured
    assert entry == done.measure().entries[0]
    assert out.rstrip().endswith(written.removeprefix("# " + NOTE + "\n").rstrip())
    assert "wrote this to llm-audit.toml; the next `llm-audit report` uses it" in err

    after = done.report()
    was, now = (found["savings"]["observed"] for found in (before, after))
    # A million tokens in a batch of GPT-5: 0.625 USD, 0.0625 from the cache. Documented is a half:
    # 1,100 x 320 x (0.62 - 0.5) x 0.5625 millionths.
    assert Decimal(now["expected"]) - Decimal(was["expected"]) == Decimal("0.02376")
    for name in ("conservative", "best", "eligible_cost", "effective_cost"):
        assert now[name] == was[name]
    # 1,100 x (9,680 x 0.625 + 320 x 0.0625 + 320 x 0.5625 + 300 x 5) is a batch without hits.
    assert Decimal(was["conservative"]) == CALLS * (
        Decimal("0.01514") - (10_000 * Decimal("0.000000625") + 300 * Decimal("0.000005"))
    )
    [said] = [text for text in after["assumptions"] if "62%" in text]
    assert said.startswith("openai gpt-5: your own batches read 62% of the tokens from the cache")
    assert "the headline counts on no cache hit" in said
    assert not [text for text in before["assumptions"] if "own batches" in text]
    assert after["data_quality"]["policy_warnings"] == []

    assert done.verify() == 0
    assert "llm-audit.toml says so already" in capsys.readouterr().err
    assert done.policy.read_text(encoding="utf-8") == written


def test_explain_spells_the_measured_share_out(
    done: Bought, capsys: pytest.CaptureFixture[str]
) -> None:
    assert done.verify() == 0
    [workload] = done.report()["workloads"]
    capsys.readouterr()
    assert done.run("explain", workload["workload_id"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    # 0.62 x 0.0625 + 0.38 x 0.625 = 0.27625; 1,100 x (9,680 x 0.625 + 320 x 0.27625 + 1,500)
    assert (
        "Your own batches read 62% of the tokens from the cache that 1,100 logged calls had read "
        "from it (measured 2027-01-15): expected are 0.62 x the batch rate of a hit + 0.38 x that "
        "of a token written anew = 0.27625 for cached_input, and so 8.40224 USD in a batch."
    ) in shown
    assert "expected 8.40224 USD, the measured share of cache hits" in shown
    done.policy.unlink()
    assert done.run("explain", workload["workload_id"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "own batches" not in shown
    assert "expected 8.426 USD, the documented share of cache hits" in shown


def test_a_deadline_stays_out_of_the_headline_and_the_times_are_told(
    done: Bought, capsys: pytest.CaptureFixture[str]
) -> None:
    done.policy.write_text(
        '[[override]]\ncaller = "*"\ntolerance = "8 h"\nbecause = "read at noon"\nby = "ana"\n'
    )
    before = done.report()
    assert done.verify() == 0
    after = done.report()
    [workload] = after["workloads"]
    [entry] = Policy.load(done.policy).measured
    assert entry.turnaround_sentence is not None
    assert not workload["worth_it"]
    assert workload["deadline_risk"]
    assert workload["note"] == (
        "A batch may take 24 hours and some of these calls are due earlier: not in the headline. "
        f"{entry.turnaround_sentence}: no call here is due sooner."
    )
    for found in (before, after):
        assert {Decimal(found["savings"]["observed"][n]) for n in ("conservative", "best")} == {0}
    worth = {row["name"]: row["saving"] for row in after["sensitivity"]}
    assert Decimal(worth["deadline_kept_included"]) > 0
    assert worth["deadline_kept_included"] == worth["deadline_risk_included"]
    assert "deadline_kept_included" not in {row["name"] for row in before["sensitivity"]}
    assert any(entry.turnaround_sentence in text for text in after["assumptions"])
    capsys.readouterr()
    assert done.run("explain", workload["workload_id"]) == 0
    assert f"{entry.turnaround_sentence}: no call" in " ".join(capsys.readouterr().out.split())


def test_too_little_is_not_written(
    done: Bought, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurements, "LEAST_BATCHES", 23)
    assert done.verify("--format", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["runs"] == ["run-1"], "the form for programs stays whole"
    assert "not measured: openai gpt-5: 22 batches came back, canaries apart" in err
    assert "turnaround" not in done.policy.read_text(encoding="utf-8")
    done.policy.unlink()
    monkeypatch.setattr(measurements, "LEAST_REQUESTS", 1_101)
    assert done.verify() == 1
    out, err = capsys.readouterr()
    hits, batches = (line for line in err.splitlines() if line.startswith("not measured: "))
    assert "openai gpt-5: 1,100 answered requests had read" in hits
    assert hits.endswith("a share of cache hits takes 1,101")
    assert "openai gpt-5: 22 batches came back" in batches
    assert "hint: nothing was written" in err
    assert max(map(len, err.splitlines())) <= 140
    assert not done.policy.exists()
    assert "Measured here:" in out
    assert "--write-policy" not in out, "what was just refused"
    assert done.run("migrate", "verify") == 0
    assert "--write-policy" not in capsys.readouterr().out, "nothing qualifies"


def test_a_config_that_cannot_be_changed_is_left_alone(
    done: Bought, capsys: pytest.CaptureFixture[str]
) -> None:
    done.policy.write_text("measured = []\n")
    assert done.verify() == 1
    out, err = capsys.readouterr()
    assert '[[measured]]\nprovider = "openai"\nmodel = "gpt-5"' in out, "it can be pasted"
    assert "cannot be written to llm-audit.toml" in err
    assert done.policy.read_text() == "measured = []\n"


def test_an_entry_of_another_model_and_an_old_one_are_named(done: Bought) -> None:
    entry = Measured(
        "openai", "gpt-4.1", None, Turnaround(60, 120, 20), date.today() - timedelta(days=181)
    )
    recording.record(done.policy, [entry], today=date.today(), note="n")
    place = "llm-audit.toml, line 2, the measurement of openai gpt-4.1"
    old, idle = done.report()["data_quality"]["policy_warnings"]
    assert old.startswith(f"{place} is of {entry.measured_on}, over 180 days old: measure again")
    assert idle == f"{place} is of no model of this log, bought of its own maker"
