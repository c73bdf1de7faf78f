"""From calls to checked request files: grouped, priced, named, private, each call once."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.errors import MigrationError
from llm_audit.migrate import files, manual
from llm_audit.migrate.candidates import Choice
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.plan import Plan, Settings
from tests.migrate.logs import anthropic, audit, closes, lines, make, openai_chat, reasons
from tests.support import create_stored_tables

Connection = duckdb.DuckDBPyConnection
BETA = {"request_headers": {"anthropic-beta": "context-1m-2025-08-07"}}


@pytest.fixture
def mixed(tmp_path: Path, connection: Connection) -> Connection:
    """Two vendors, one of them with and without a beta feature."""
    calls = [openai_chat(n) for n in range(250)]
    calls += [anthropic(n) for n in range(250)]
    calls += [anthropic(n, "long") | BETA for n in range(150)]
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(calls))
    audit(connection, path)
    return connection


def test_a_shard_is_of_one_group_and_its_file_is_what_it_says(
    tmp_path: Path, mixed: Connection
) -> None:
    made = make(mixed, tmp_path / "out", settings=Settings(max_rows=100))
    groups = {(p.shard.vendor, p.shard.endpoint, p.shard.model, p.shard.betas) for p in made.shards}
    assert len(groups) == 3
    assert ("context-1m-2025-08-07",) in {betas for *_, betas in groups}
    for planned in made.shards:
        shard, path = planned.shard, Path(planned.shard.path)
        assert shard.requests == len(planned.requests) <= 100
        assert shard.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert shard.bytes == path.stat().st_size
        assert shard.intent in path.name
        assert shard.sha256[:8] in path.name
        assert shard.sync_cost == sum(r.sync_cost for r in planned.requests)
        ids = [name for name, _ in files.bodies(path, shard.vendor)]
        assert ids == [files.custom_id(shard.intent, r.request_key) for r in planned.requests]
        for request, (_, body) in zip(
            planned.requests, files.bodies(path, shard.vendor), strict=True
        ):
            assert hashlib.sha256(body).hexdigest() == request.body_sha256
            assert len(body) == request.body_bytes
            assert json.loads(body)["model"] == shard.model
    assert made.requests == 650
    closes(mixed, made)


def test_the_canaries_go_first(tmp_path: Path, mixed: Connection) -> None:
    made = make(mixed, tmp_path / "out", settings=Settings(max_rows=100))
    flags = [p.shard.canary for p in made.shards]
    assert flags == sorted(flags, reverse=True)
    assert sum(flags) == 3
    assert all(5 <= p.shard.requests <= 20 for p in made.shards if p.shard.canary)


def test_anthropic_shards_differ_in_size(tmp_path: Path, mixed: Connection) -> None:
    made = make(mixed, tmp_path / "out", settings=Settings(max_rows=60))
    sizes = [p.shard.requests for p in made.shards if p.shard.vendor is Vendor.ANTHROPIC]
    assert len(sizes) == len(set(sizes)) > 6


def test_what_was_bought_is_not_bought_again(tmp_path: Path, mixed: Connection) -> None:
    first = make(mixed, tmp_path / "one", Choice(sample=100))
    keys = {r.request_key for p in first.shards for r in p.requests}
    second = make(mixed, tmp_path / "two", bought=keys)
    assert second.requests == 550
    assert reasons(mixed) == {"bought": 100}
    assert not keys & {r.request_key for p in second.shards for r in p.requests}
    closes(mixed, second)
    third = make(mixed, tmp_path / "three", Choice(limit=60), bought=keys)
    assert third.requests == 60
    assert not keys & {r.request_key for p in third.shards for r in p.requests}


def test_a_queue_holds_80_percent_of_its_budget(tmp_path: Path, mixed: Connection) -> None:
    made = make(mixed, tmp_path / "out", settings=Settings(queue_tokens=100_000))
    assert max(p.shard.input_tokens for p in made.shards) <= 80_000
    closes(mixed, made)
    made = make(mixed, tmp_path / "low", settings=Settings(queue_tokens=12_000))
    assert reasons(mixed) == {"over_queue": 250}  # 12,000 tokens each; Claude's have 9,000
    closes(mixed, made)


def test_the_same_log_gives_the_same_requests(tmp_path: Path, mixed: Connection) -> None:
    def texts(made: Plan) -> list[bytes]:
        return [Path(p.shard.path).read_bytes() for p in made.shards]

    first, again = make(mixed, tmp_path / "one"), make(mixed, tmp_path / "two")
    assert texts(first) == texts(again)


def test_the_manifest_leads_back_to_the_log_and_holds_no_text(
    tmp_path: Path, mixed: Connection
) -> None:
    made = make(mixed, tmp_path / "out")
    text = (tmp_path / "out" / "manifest.json").read_text()
    assert "Grade the answer" not in text
    assert "blue" not in text
    manifest = json.loads(text)
    for entry, planned in zip(manifest["shards"], made.shards, strict=True):
        assert entry["sha256"] == planned.shard.sha256
        assert len(entry["sources"]) == entry["requests"]
        for request, place in zip(planned.requests, entry["sources"].values(), strict=True):
            file, line = place.split(":")
            path = Path(manifest["source_files"][int(file)])
            record = json.loads(path.read_bytes().split(b"\n")[int(line) - 1])
            assert record["response"]["id"] == request.call_id


def test_how_to_submit_by_hand_is_told_on_demand(tmp_path: Path, mixed: Connection) -> None:
    """In a run's own folder it would invite to buy twice."""
    made = make(mixed, tmp_path / "out")
    readme = tmp_path / "out" / "README.md"
    assert not readme.exists()
    manual.explain(made.folder, made.shards)
    assert stat.S_IMODE(readme.stat().st_mode) == 0o600
    for words in (
        "client.files.create",
        "expires_after=week",
        "output_expires_after=week",
        "messages.batches.create",
        'default_headers={"anthropic-version": "2023-06-01"}',
        "a later run would buy them once more",
    ):
        assert words in readme.read_text(), words
    for snippet in re.findall(r"(?:^    .*\n)+", readme.read_text(), re.M):
        compile(textwrap.dedent(snippet), "README.md", "exec")


def test_the_folder_is_private_and_holds_nothing_else(tmp_path: Path, mixed: Connection) -> None:
    out = tmp_path / "deep" / "out"
    made = make(mixed, out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    names = {Path(p.shard.path).name for p in made.shards}
    assert {path.name for path in out.iterdir()} == names | {"manifest.json"}


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path, mixed: Connection) -> None:
    make(mixed, tmp_path / "out")
    with pytest.raises(MigrationError, match="is not empty"):
        make(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (tmp_path / "empty").mkdir(mode=0o755)
    make(mixed, tmp_path / "empty")
    assert stat.S_IMODE((tmp_path / "empty").stat().st_mode) == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(MigrationError, match="cannot write"):
        make(mixed, tmp_path / "file")


def test_a_plan_that_breaks_off_leaves_nothing(
    tmp_path: Path, mixed: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "preflight", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(mixed, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_no_text_of_a_prompt_is_in_the_database(tmp_path: Path, mixed: Connection) -> None:
    make(mixed, tmp_path / "out")
    for (table,) in mixed.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        rows = mixed.execute(f'SELECT * FROM "{table}"').fetchall()
        assert "blue is a colour" not in str(rows), table


def test_hostile_names_stay_text(tmp_path: Path, connection: Connection) -> None:
    model = 'gpt-4.1"},{"custom_id":"x\x1b[2J/../../etc'
    calls = [openai_chat(n) for n in range(120)]
    calls += [openai_chat(n, "'; DROP TABLE calls; --") for n in range(120, 240)]
    calls += [openai_chat(n, model=model) for n in range(240, 250)]
    path = tmp_path / "log'; --.jsonl"
    path.write_bytes(lines(calls))
    audit(connection, path)
    made = make(connection, tmp_path / "out", Choice(workloads=("'; DROP*", "nightly")))
    closes(connection, made)
    assert made.requests >= 240
    for planned in made.shards:
        assert Path(planned.shard.path).parent == tmp_path / "out"


def test_a_request_that_may_write_the_cache_is_told_apart(
    tmp_path: Path, connection: Connection
) -> None:
    """Writes are billed above the input's rate, so that its ceiling is another (--max-cost)."""
    block = {"type": "text", "text": "Extract.", "cache_control": {"type": "ephemeral"}}
    asked: dict[str, Any] = {"system": [block]}
    calls = [anthropic(n, **asked if n % 2 else {}) for n in range(250)]
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(calls))
    audit(connection, path)
    requests = [r for p in make(connection, tmp_path / "out").shards for r in p.requests]
    assert sum(r.caches for r in requests) == 125


def nameless(number: int, text: str = "") -> dict[str, object]:
    """An embedding of a nightly job: no id stands in its log."""
    call = openai_chat(number)
    url = "https://api.openai.com/v1/embeddings"
    asked = {"model": "text-embedding-3-large", "input": text or f"chunk {number}"}
    usage = {"prompt_tokens": 9_000, "total_tokens": 9_000}
    told = {"object": "list", "data": [], "model": asked["model"], "usage": usage}
    return call | {"url": url, "request": asked, "response": told}


def keys_of(made: Plan) -> set[str]:
    return {request.request_key for planned in made.shards for request in planned.requests}


def test_a_call_without_an_id_is_known_again_wherever_its_log_lies(
    tmp_path: Path, connection: Connection
) -> None:
    """F26: the id that ingest makes is of the file's name too, and logs are rotated (A10)."""
    log, rotated = tmp_path / "app.jsonl", tmp_path / "app.1.jsonl"
    log.write_bytes(lines(nameless(n) for n in range(120)))
    audit(connection, log)
    first = make(connection, tmp_path / "one")
    assert first.requests == 120
    log.rename(rotated)
    with rotated.open("ab") as file:
        file.write(lines(nameless(n) for n in range(120, 150)))
    with duckdb.connect() as fresh:
        fresh.execute("SET TimeZone = 'UTC'")
        create_stored_tables(fresh)
        audit(fresh, rotated)
        second = make(fresh, tmp_path / "two", bought=keys_of(first))
        assert second.requests == 30
        assert reasons(fresh) == {"bought": 120}
        assert not keys_of(second) & keys_of(first)
        closes(fresh, second)


def test_one_line_in_two_logs_is_bought_once(tmp_path: Path, connection: Connection) -> None:
    logs = [tmp_path / "app.jsonl", tmp_path / "grown.jsonl"]
    for number, log in enumerate(logs):
        log.write_bytes(lines(nameless(n) for n in range(120 + number)))
    audit(connection, *logs)
    made = make(connection, tmp_path / "out")
    assert made.requests == 121
    assert reasons(connection) == {"same_line": 120}
    closes(connection, made)


def test_calls_that_only_look_alike_are_bought_each(tmp_path: Path, connection: Connection) -> None:
    """The same text at another time is another call."""
    log = tmp_path / "app.jsonl"
    log.write_bytes(lines(nameless(n, "always this") for n in range(120)))
    audit(connection, log)
    assert make(connection, tmp_path / "out").requests == 120


def test_a_log_that_changed_under_the_plan_leaves_no_key_behind(
    tmp_path: Path, connection: Connection
) -> None:
    """What is taken back is not in the plan, so its copy elsewhere may be."""
    logs = [tmp_path / "app.jsonl", tmp_path / "grown.jsonl"]
    for number, log in enumerate(logs):
        log.write_bytes(lines(nameless(n) for n in range(120 + number)))
    audit(connection, *logs)
    text = logs[0].read_bytes()
    logs[0].write_bytes(text[:-2] + b" \n")
    made = make(connection, tmp_path / "out")
    assert made.requests == 121
    assert reasons(connection) == {"source_changed": 120}
