"""`llm-audit prices …`: what is printed, what is refused, and that nothing is guessed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_audit import cli
from llm_audit.cli import prices as commands
from llm_audit.errors import ExitCode, InputError, PricingError
from llm_audit.prices import archive, catalogue, importers
from llm_audit.prices.diff import difference
from tests.pricing.small import add, add_rate, change, small_pricing
from tests.support import ROOT
from tests.tools import release_prices

RATES = "rates/demo.csv"
FIRST_RELEASE = "2026.11.22"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `llm-audit prices …` in an empty folder, with the installed price data."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)

    def run(*arguments: str | Path) -> Outcome:
        code = cli.run(["prices", *(str(argument) for argument in arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        for text in (captured.out, captured.err):
            assert text.replace("\n", "").replace("\t", "").isprintable()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small price card that the commands read instead of the installed one."""
    place = small_pricing(tmp_path)
    monkeypatch.setattr(catalogue, "folder", lambda: place)
    return place


def config(text: str) -> None:
    Path("llm-audit.toml").write_text(text, encoding="utf-8")


def line(text: str, *words: str) -> str:
    """The first line that has all the words."""
    return next(line for line in text.splitlines() if all(word in line.split() for word in words))


# check


def test_check_prints_version_digest_age_and_sellers(run: Run, place: Path) -> None:
    outcome = run("check", "--as-of", "2026-11-22")
    assert outcome.code == ExitCode.OK
    assert "price data unreleased, sha256 " + catalogue.digest(place) in outcome.out
    assert "5 rates; of those in force on 2026-11-22" in outcome.out
    assert line(outcome.out, "openai/first_party").split()[1:] == ["1", "5", "5", "2026-11-20"]
    assert outcome.out.endswith("no findings\n")


def test_check_exits_with_1_after_telling_every_error(run: Run, place: Path) -> None:
    change(place, RATES, 2, usd_per_mtok="0")
    change(place, RATES, 6, source="hearsay")
    outcome = run("check", "--as-of", "2026-11-22")
    assert outcome.code == ExitCode.ERROR
    assert "error: demo.csv:2: a rate of 0" in outcome.out
    assert "    leave an unknown rate empty" in outcome.out
    assert "error: demo.csv:6: the source hearsay" in outcome.out
    assert "2 errors in the price data" in outcome.err


def test_check_with_warnings_only_exits_with_0(run: Run, place: Path) -> None:
    config("[aliases]\nmine = 'demo-9'\n")
    outcome = run("check", "--as-of", "2027-03-01")
    assert outcome.code == ExitCode.OK
    assert "warning: demo.csv:2 and 4 more lines of page: in force and last" in outcome.out
    assert "warning: llm-audit.toml, [aliases]: mine = demo-9 leads to no price" in outcome.out
    assert outcome.out.endswith("0 errors, 2 warnings\n")


def test_the_installed_data_has_no_error(run: Run) -> None:
    outcome = run("check", "--as-of", "2026-11-22")
    assert outcome.code == ExitCode.OK, outcome.out
    assert "anthropic/first_party" in outcome.out


# show


def test_show_prints_the_rates_of_the_day_with_their_lines(run: Run, place: Path) -> None:
    change(place, RATES, 4, effective_to="2026-06-01", note="cut in June")
    add_rate(place, token_kind="output", usd_per_mtok="6", effective_from="2026-06-01")
    add_rate(place, token_kind="output", usd_per_mtok="5", effective_from="2026-12-01",
             tier="flex")  # fmt: skip
    today = run("show", "openai/demo-1", "--on", "2026-11-22")
    assert today.code == ExitCode.OK
    assert "priced as openai/first_party/demo-1 (match: exact)" in today.out
    assert line(today.out, "standard", "input").split()[2:] == [
        "input", "2", "2026-01-01", "-", "published", "page", "2026-11-01", "2026-11-20",
        "demo.csv:2",
    ]  # fmt: skip
    assert "6" in line(today.out, "standard", "output").split()
    assert "page: Demo price page" in today.out
    assert "not in force yet" in today.out
    assert "flex output any: 5 from 2026-12-01 (demo.csv:8, page, last looked at on" in today.out
    assert "1 earlier rates of demo-1" in today.out
    before = run("show", "openai/demo-1", "--on", "2026-05-31", "--tier", "standard")
    assert "8" in line(before.out, "standard", "output").split()
    assert "demo.csv:4: cut in June" in before.out
    assert "batch" not in {text.split()[0] for text in before.out.splitlines() if text.split()}
    assert "no rate was in force" in run("show", "openai/demo-1", "--on", "2025-12-31").out


def test_show_says_what_else_holds(run: Run, place: Path) -> None:
    add(
        place,
        "lifecycle.csv",
        provider="openai",
        surface="first_party",
        model="demo-1",
        retired_on="2026-10-01",
        status="retired",
        look_at="demo-2",
        source="page",
    )
    add(
        place,
        "batch_terms.csv",
        provider="openai",
        surface="first_party",
        io_discount="0.5",
        window="24 h",
        cached_tokens="no discount",
        max_requests="50000",
        max_queued_tokens="by tier",
        source="page",
    )
    add(place, "modifiers.csv", provider="openai", surface="first_party", regions="eu us",
        models="demo-1", factor="1.1", source="page", retrieved_on="2026-11-01",
        verified_on="2026-11-01")  # fmt: skip
    out = run("show", "openai/demo-1", "--on", "2026-11-22").out
    assert "demo-1 left first_party on 2026-10-01 (retired); look at demo-2" in out
    assert "demo-1 will leave" in run("show", "openai/demo-1", "--on", "2026-09-30").out
    assert "batch: within 24 h; no discount (batch_terms.csv:2)" in out
    assert "batch limits: 50,000 requests\n" in out
    assert "batch queue: by tier" in out
    assert "a cached token without a published rate is plain input" in out
    assert "x 1.1 in eu us (if the log says so) (modifiers.csv:2, page" in out


def test_show_says_which_alias_and_which_steps(run: Run, place: Path) -> None:
    add(place, "aliases.csv", provider="openai", alias="demo-one", model="demo-1",
        snapshot="2026-01-02", source="page")  # fmt: skip
    out = run("show", "openai/demo-one", "--on", "2026-11-22").out
    assert "priced as openai/first_party/demo-1 (match: alias, aliases.csv:2)" in out
    assert "the name means snapshot 2026-01-02" in out
    assert "taken off the name: prefix:openai" in out
    config("[aliases]\n'house' = 'openai/demo-1'\n")
    out = run("show", "House", "--on", "2026-11-22").out
    assert "your alias (llm-audit.toml): openai/demo-1" in out
    assert "(match: user)" in out


def test_show_puts_the_users_own_rates_first(run: Run, place: Path) -> None:
    config(
        "[[prices]]\nprovider='openai'\nmodel='demo-1'\ninput=1.25\nbecause='contract 7'\n"
        "[[prices]]\nprovider='openai'\nmodel='demo-*'\ntier='batch'\nmultiplier=0.8\n"
    )
    out = run("show", "openai/demo-1", "--on", "2026-11-22").out
    own = line(out, "standard", "input").split()
    assert own[3:5] == ["1.25", "1.25"]
    assert own[-1] == "llm-audit.toml"
    assert "llm-audit.toml: contract 7" in out
    assert "standard input any: 2 from 2026-01-01 (demo.csv:2" in out.split("yours go before")[1]
    assert line(out, "batch", "output").split()[3:5] == ["4", "3.2"]
    assert "your contract (llm-audit.toml): x 0.8 for batch" in out


def test_show_as_json_keeps_money_exact(run: Run, place: Path) -> None:
    change(place, RATES, 3, usd_per_mtok="0.100001")
    shown = json.loads(run("show", "openai/demo-1", "--on", "2026-11-22", "--format", "json").out)
    assert shown["day"] == "2026-11-22"
    assert shown["resolution"]["price_key"] == "openai/first_party/demo-1"
    rates = {(r["row"]["tier"], r["row"]["token_kind"]): r for r in shown["rates"]}
    assert rates["standard", "cached_input"]["row"]["usd_per_mtok"] == "0.100001"
    assert rates["standard", "cached_input"]["row"]["where"] == "demo.csv:3"
    assert rates["batch", "input"]["paid"] == "1"
    assert shown["sources"] == {"page": "Demo price page"}


def test_show_never_prices_a_name_by_what_it_resembles(run: Run, place: Path) -> None:
    outcome = run("show", "demo-11")
    assert outcome.code == ExitCode.ERROR
    assert outcome.out == ""
    assert "error: no price for demo-11: unknown" in outcome.err
    assert "similar names on the card: demo-1\n" in outcome.err
    unsaid = run("show", "demo-1")
    assert unsaid.code == ExitCode.ERROR
    assert "demo-1 is sold by openai/first_party: say who is paid with --provider" in unsaid.err
    assert run("show", "demo-1", "--provider", "openai", "--on", "2026-11-22").code == ExitCode.OK
    assert run("show", "openai/demo-11").err.endswith("similar names on it: demo-1\n")
    assert run("show", "demo-1", "--provider", "aws.bedrock").code == ExitCode.ERROR
    assert run("show", "\x1b[31mred\x07").code == ExitCode.ERROR


def test_show_reads_the_real_card(run: Run) -> None:
    """The cut of 3 December 2024, which a public price file missed."""
    before = run("show", "claude-3-5-haiku", "--on", "2024-12-02", "--tier", "standard").out
    after = run("show", "claude-3-5-haiku", "--on", "2024-12-03", "--tier", "standard").out
    assert line(before, "standard", "output").split()[3] == "5"
    assert line(after, "standard", "output").split()[3] == "4"
    assert "left first_party on 2026-02-19 (retired)" in run("show", "claude-3-5-haiku").out


# diff and releases


def test_diff_groups_what_changed_by_model(run: Run, place: Path, tmp_path: Path) -> None:
    other = small_pricing(tmp_path / "other")
    change(other, RATES, 2, effective_to="2026-06-01")
    add_rate(other, token_kind="input", usd_per_mtok="1.5", effective_from="2026-06-01")
    change(other, RATES, 3, usd_per_mtok="0.4")
    change(other, RATES, 4, verified_on="2026-11-21")
    change(other, RATES, 5, effective_from="2026-02-01")
    change(other, RATES, 6, model="demo-2")
    outcome = run("diff", place, other)
    assert outcome.code == ExitCode.OK
    first, second = outcome.out.split("openai/first_party/demo-2")
    assert first.splitlines() == [
        "openai/first_party/demo-1",
        "  changed  batch input: 1 from 2026-01-01 -> 1 from 2026-02-01 (demo.csv:5, page)",
        "  gone     batch output: 4 from 2026-01-01 (demo.csv:6, page)",
        "  changed  standard cached_input: 0.5 from 2026-01-01 -> 0.4 from 2026-01-01 "
        "(demo.csv:3, page)",
        "  closed   standard input: 2 ends, first day without it 2026-06-01 (demo.csv:2, page)",
        "  added    standard input: 1.5 from 2026-06-01 (demo.csv:7, page)",
        "",
    ]
    assert "  added    batch output: 4 from 2026-01-01" in second
    assert "2 added, 1 closed, 2 changed, 1 gone; 1 rates as before, 1 of them" in second


def test_diff_knows_releases_and_refuses_other_names(run: Run, place: Path) -> None:
    release_prices.main([FIRST_RELEASE, "--place", str(place)])
    change(place, RATES, 4, effective_to="2026-06-01")
    outcome = run("diff", FIRST_RELEASE)
    assert f"{FIRST_RELEASE} -> current: 0 added, 1 closed, 0 changed, 0 gone; 4" in outcome.out
    for name in ("2020.01.01", "../archive/2026.11.22", str(place / "archive")):
        outcome = run("diff", name)
        assert outcome.code == ExitCode.ERROR
        assert f"one of: {FIRST_RELEASE}" in outcome.err


def test_a_damaged_archive_says_so(place: Path) -> None:
    packed = archive.write(place, "1")
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(PricingError, match="damaged"):
        archive.read("1")
    packed.write_bytes(gzip.compress(b"provider,surface\nopenai,first_party\n"))
    with pytest.raises(PricingError, match=r"1\.csv\.gz:2"):
        archive.read("1")


def test_the_first_release_can_be_laid_beside_the_current_data(run: Run) -> None:
    assert FIRST_RELEASE in archive.releases()
    rows = archive.read(FIRST_RELEASE)
    assert len(rows) == 1076
    assert {row.provider for row in rows} == {"anthropic", "openai"}
    assert difference(rows, rows).models == {}
    outcome = run("diff", FIRST_RELEASE)
    assert outcome.code == ExitCode.OK
    assert f"{FIRST_RELEASE} -> current:" in outcome.out


def test_an_archive_holds_every_rate_and_no_clock(place: Path, tmp_path: Path) -> None:
    first = archive.write(place, "1").read_bytes()
    other = small_pricing(tmp_path / "other")
    assert archive.write(other, "2").read_bytes() == first
    text = gzip.decompress(first).decode()
    assert text == (place / RATES).read_text(encoding="utf-8")
    assert archive.read("1") == archive.read("current")


def test_an_archive_is_not_part_of_the_digest(place: Path) -> None:
    before = catalogue.digest(place)
    archive.write(place, "1")
    assert catalogue.digest(place) == before


def test_a_release_is_closed_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--place", str(place), "--note", "first, and sound"]
    assert release_prices.main(["2026.12.01", *arguments]) == 0
    data = catalogue.read(place)
    assert data.version == "2026.12.01"
    assert data.releases[-1].note == "first, and sound"
    assert archive.releases(place) == ["2026.12.01"]
    assert release_prices.main(["2026.12.02", *arguments]) == 1
    assert "never changed" in capsys.readouterr().err
    change(place, RATES, 2, usd_per_mtok="0")
    assert release_prices.main(["2026.12.02", *arguments]) == 1
    assert release_prices.main(["../x", *arguments]) == 1
    assert archive.releases(place) == ["2026.12.01"]


def test_the_release_script_runs_by_itself(place: Path) -> None:
    script = ROOT / "tests" / "tools" / "release_prices.py"
    done = subprocess.run(
        [sys.executable, str(script), "2026.12.01", "--place", str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# update


def test_update_formats_are_the_importers() -> None:
    assert commands._FORMATS == importers.FORMATS


def test_update_prints_and_writes_candidates_only(run: Run, place: Path, tmp_path: Path) -> None:
    theirs = small_pricing(tmp_path / "theirs")
    change(theirs, RATES, 4, usd_per_mtok="7")
    before = catalogue.digest(place)
    arguments = ["update", "--format", "csv", "--from", theirs / RATES]
    outcome = run(*arguments, "--out", "candidates.csv")
    assert outcome.code == ExitCode.OK
    assert "contradicted 1" in outcome.out
    assert "wrote 1 candidates to candidates.csv" in outcome.err
    assert "demo-1" in Path("candidates.csv").read_text(encoding="utf-8")
    assert catalogue.digest(place) == before
    assert run(*arguments, "--out", place / "rates" / "mine.csv").code == ExitCode.ERROR
    assert catalogue.digest(place) == before
    assert "contradicted 1" in run(*arguments, "--provider", "openai").out
    refused = run(*arguments, "--provider", "acme")
    assert refused.code == ExitCode.ERROR
    assert "no rates of acme" in refused.err
    assert "it has: openai" in refused.err


def test_update_needs_a_file_that_exists(run: Run) -> None:
    assert run("update", "--from", "x.csv").code == ExitCode.USAGE
    outcome = run("update", "--format", "litellm", "--from", "missing.json")
    assert outcome.code == InputError.exit_code
    assert "missing.json" in outcome.err
