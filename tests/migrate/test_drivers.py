"""The real SDKs against the fake: each call is made once, and how it ended is told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import vendor as outcomes
from llm_audit.migrate.ledger import ShardRow, open_ledger
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.openai import OpenAIDriver
from llm_audit.migrate.vendor import Driver, Kind, Outcome, Rejected, Reply, Unknown, uploader
from tests.migrate.engine import book, scenario
from tests.migrate.fake.process import FAKE_ANTHROPIC_KEY, FAKE_OPENAI_KEY, FakeProcess

Made = Mapping[Vendor, Driver]
CREATES = {vendor: f"{vendor}.batches.create" for vendor in Vendor}


def shard_of(folder: Path, vendor: Vendor, driver: Driver) -> ShardRow:
    """A shard that is ready to be created."""
    book(folder, vendor, (3,))
    with open_ledger(folder) as ledger:
        [shard] = ledger.shards()
        if driver.uploads:
            reply = uploader(driver).upload(shard)
            assert isinstance(reply, Reply)
            shard = ledger.move(shard, file_id=uploader(driver).read_upload(reply.body))
    return shard


def created(folder: Path, vendor: Vendor, made: Made) -> Outcome:
    shard = shard_of(folder, vendor, made[vendor])
    return made[vendor].create(shard)


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("reply", ["reset", "close", 500, 502, 529, 409, 404, 302])
def test_what_is_no_proof_is_unknown_and_not_repeated(
    vendor: Vendor,
    when: str,
    reply: object,
    vendors: FakeProcess,
    made: Made,
    tmp_path: Path,
) -> None:
    fault = {"op": CREATES[vendor], "when": when, "reply": reply}
    vendors.play(scenario(faults=[fault | ({"body": "html"} if reply == 404 else {})]))
    assert isinstance(created(tmp_path, vendor, made), Unknown)
    assert len(vendors.journal.requests(CREATES[vendor])) == 1


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize(
    ("status", "more", "kind"),
    [
        (400, {"message": "bad", "code": "bad"}, Kind.OTHER),
        (400, {}, Kind.BILLING),
        (401, {}, Kind.KEY),
        (403, {"message": "no", "code": "no"}, Kind.KEY),
        (404, {"message": "nothing here", "code": "x"}, Kind.NOT_FOUND),
        (404, {"message": "The model `m` does not exist", "code": "model_not_found"}, Kind.MODEL),
        (413, {"message": "large", "code": "x"}, Kind.TOO_LARGE),
        (429, {"retry_after": 7}, Kind.RATE),
        (429, {"message": "You exceeded your current quota", "code": "x"}, Kind.BILLING),
    ],
)
def test_a_refusal_in_the_vendors_words_is_proof(
    vendor: Vendor,
    status: int,
    more: dict[str, object],
    kind: Kind,
    vendors: FakeProcess,
    made: Made,
    tmp_path: Path,
) -> None:
    vendors.play(scenario(faults=[{"op": CREATES[vendor], "reply": status, **more}]))
    outcome = created(tmp_path, vendor, made)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.kind) == (status, kind)
    assert outcome.retry_after == more.get("retry_after")
    assert len(vendors.journal.requests(CREATES[vendor])) == 1


def test_retry_after_may_be_a_date(vendors: FakeProcess, made: Made, tmp_path: Path) -> None:
    vendors.play(
        {
            "clock": {"start": 1_800_000_000},
            "faults": [
                {
                    "op": "*.batches.create",
                    "reply": 429,
                    "retry_after": "Fri, 15 Jan 2027 08:01:00 GMT",
                }
            ],
        }
    )
    outcome = created(tmp_path, Vendor.OPENAI, made)
    assert isinstance(outcome, Rejected)
    assert outcome.retry_after == 60.0


@pytest.mark.parametrize("vendor", Vendor)
def test_an_answer_too_late_is_unknown(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from llm_audit.migrate.anthropic import AnthropicDriver

    vendors.play(scenario(faults=[{"op": CREATES[vendor], "when": "after", "delay": 1.5}]))
    for name, value in vendors.environment().items():
        monkeypatch.setenv(name, value)
    hasty: Driver = (
        OpenAIDriver(timeout=0.3) if vendor is Vendor.OPENAI else AnthropicDriver(timeout=0.3)
    )
    shard = shard_of(tmp_path, vendor, made[vendor])
    outcome = hasty.create(shard)
    hasty.close()
    assert outcome == Unknown("no answer in time")


@pytest.mark.parametrize("vendor", Vendor)
def test_what_is_sent_is_the_file_byte_for_byte(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    shard = shard_of(tmp_path, vendor, made[vendor])
    assert isinstance(made[vendor].create(shard), Reply)
    if vendor is Vendor.ANTHROPIC:
        [heard] = vendors.journal.requests(CREATES[vendor])
        assert heard.sha256 == shard.sha256
    else:
        [batch] = vendors.journal.batches()
        assert batch.metadata == {
            "llm_audit_intent": shard.intent,
            "llm_audit_run": "run1",
            "llm_audit_sha256": shard.sha256,
            "n": "3",
        }
        assert vendors.journal.files()[0][2] == Path(shard.path).name
        assert batch.output_seconds == 7 * 86_400


@pytest.mark.parametrize("at", [0.0, 0.5])
@pytest.mark.parametrize("length", [True, False])
def test_a_download_that_is_cut_leaves_nothing_under_its_name(
    at: float, length: bool, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """Without a content-length it looks whole here; `collect` finds the half line."""
    driver = made[Vendor.OPENAI]
    cut = {"op": "openai.files.content", "when": "after", "reply": "cut", "at": at}
    vendors.play(scenario(faults=[cut | {"length": length}]))
    shard = shard_of(tmp_path, Vendor.OPENAI, driver)
    outcome = driver.download(shard.file_id or "", tmp_path / "x.part")
    assert isinstance(outcome, Reply if not length else Unknown)


@pytest.mark.parametrize(
    "url", ["http://example.com/v1", "ftp://127.0.0.1", "https://u:p@example.com", "nonsense"]
)
def test_a_key_does_not_travel_in_the_clear(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", FAKE_OPENAI_KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(MigrationError, match="neither https") as caught:
        OpenAIDriver()
    assert url not in str(caught.value)


def test_a_missing_key_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MigrationError) as caught:
        OpenAIDriver()
    assert caught.value.exit_code is ExitCode.KEY


@pytest.mark.parametrize("inside", ["\n", "\r\nX: ", "\t", " ", "é", "\x7f", "\u2028"])
def test_a_key_that_no_header_can_hold_is_not_tried(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"sk-secret{inside}secret")
    with pytest.raises(MigrationError) as caught:
        OpenAIDriver()
    assert caught.value.exit_code is ExitCode.KEY
    assert "secret" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("vendor", Vendor)
def test_a_refusal_that_quotes_the_key_is_kept_without_it(
    vendor: Vendor, vendors: FakeProcess, made: Made
) -> None:
    key = FAKE_OPENAI_KEY if vendor is Vendor.OPENAI else FAKE_ANTHROPIC_KEY
    fault = {"op": "*", "reply": 401, "message": f"no such key: {key}"}
    vendors.play(scenario(faults=[fault]))
    outcome = made[vendor].retrieve("batch_x")
    assert isinstance(outcome, Rejected)
    assert outcome.message == "no such key: [key]"
    assert key.encode() not in outcome.body


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://api.anthropic.com/v1/x", True),
        ("https://api.anthropic.com.evil.example/v1/x", False),
        ("http://api.anthropic.com/v1/x", False),
        ("https://api.anthropic.com:444/v1/x", False),
        ("//api.anthropic.com/v1/x", False),
        ("https://api.anthropic.com:443/v1/x", True),
        ("https://api.anthropic.com:x/v1/x", False),
        ("https://api.anthropic.com:99999/v1/x", False),
        ("https://[::1", False),
        ("https://api.anthropic.com@evil.example/v1/x", False),
        ("/v1/x", False),
    ],
)
def test_results_are_fetched_from_the_same_host_only(url: str, same: bool) -> None:
    assert outcomes.same_host(url, "https://api.anthropic.com") is same


def test_nothing_of_a_key_is_kept_but_its_fingerprint(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    from tests.migrate.engine import drive

    for vendor in Vendor:
        for number, fault in enumerate((401, 500)):
            folder = tmp_path / f"{vendor}{number}"
            vendors.play(scenario(faults=[{"op": "*.batches.list", "reply": fault}]))
            book(folder, vendor, (3, 2))
            with pytest.raises(MigrationError) if fault == 401 else nullcontext():
                drive(folder, made, vendors)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert FAKE_OPENAI_KEY.encode() not in data, path
            assert FAKE_ANTHROPIC_KEY.encode() not in data, path
            if path.parent.name not in ("run1", "results"):
                assert b"Say [[" not in data, f"a prompt in {path}"


OPENAI_RATE = (
    "Rate limit reached for gpt-4 in organization org-x on tokens per min (TPM): Limit 10000, Used "
    "9000. Please try again in 6s. You can increase your rate limit by adding a payment method to "
    "your account at https://platform.openai.com/account/billing."
)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (429, "rate_limit_exceeded", OPENAI_RATE, Kind.RATE),
        (429, "tokens", OPENAI_RATE, Kind.RATE),
        (429, "insufficient_quota", "You exceeded your current quota, please ...", Kind.BILLING),
        (402, "billing_error", "There is an issue with your payment.", Kind.BILLING),
        (400, "billing_hard_limit_reached", "Billing hard limit has been reached", Kind.BILLING),
        (400, "invalid_request_error", "Your credit balance is too low to access", Kind.BILLING),
        (400, "invalid_request_error", "Your workspace's spend limit was exceeded.", Kind.BILLING),
        (400, "", "Invalid schema for function 'create_payment': 'required' is", Kind.OTHER),
        (400, "", "tools.0.input_schema: billing_address: Extra inputs", Kind.OTHER),
        (400, "invalid_value", "'your credit balance is too low' is no role", Kind.OTHER),
        (
            400,
            "unsupported_parameter",
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            Kind.OTHER,
        ),
        (400, "invalid_value", "The model `o9` is not supported in the Batch API.", Kind.MODEL),
        (404, "model_not_found", "gone", Kind.MODEL),
        (404, "not_found_error", "model: claude-x", Kind.MODEL),
        (404, "not_found_error", "Message batch x not found.", Kind.NOT_FOUND),
        (403, "permission_error", "no", Kind.KEY),
    ],
)
def test_a_refusal_is_told_by_code_and_status_and_by_known_sentences_only(
    status: int, code: str, message: str, kind: Kind
) -> None:
    assert outcomes.kind_of(status, code, message) is kind


OPENAI_BATCH = {"id": "b", "status": "completed", "input_file_id": "f"}
ANTHROPIC_BATCH = {"id": "b", "processing_status": "ended"}
ODD: tuple[object, ...] = (
    *([1], ["x"], {"a": [1]}, {"data": [1, "x", {"line": "2", "code": 3}]}, "x" * 10_000),
    *(1e300, 10**25, -1e300, float("nan"), float("inf"), True, 2**70, "yesterday", "\ud800", ""),
)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_batch_of_any_shape_is_read_or_makes_no_sense(odd: object, made: Made) -> None:
    """Nothing but `ValueError`, and nothing that the ledger cannot take."""
    keys = (
        *("id", "status", "processing_status", "request_counts", "errors", "metadata", "usage"),
        *("created_at", "expires_at", "completed_at", "in_progress_at", "ended_at"),
        *("input_file_id", "output_file_id", "error_file_id", "results_url", "model"),
    )
    for vendor, batch in ((Vendor.OPENAI, OPENAI_BATCH), (Vendor.ANTHROPIC, ANTHROPIC_BATCH)):
        for key in keys:
            body = json.dumps(batch | {key: odd}).encode()
            with suppress(ValueError):
                read = made[vendor].read_batch(body)
                assert all(-1 < n < 2**63 for n in read.counts.values())
                assert read.batch_id.isascii()
            page = made[vendor].read_batches(b'{"has_more": false, "data": [%s]}' % body)
            assert len(page.entries) + len(page.unread) == 1


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_what_is_nested_too_deeply_makes_no_sense(depth: int, made: Made) -> None:
    body = b'{"id":"b","status":"completed","metadata":' + b"[" * depth
    for driver in made.values():
        with pytest.raises(ValueError, match=r"."):
            driver.read_batch(body)
        with pytest.raises(ValueError, match=r"."):
            driver.read_batches(body)


@pytest.mark.parametrize("wait", ["inf", "-inf", "nan", "1e999", "soon", "Fri, 99 Foo 9999999"])
def test_a_senseless_retry_after_is_none(
    wait: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[{"op": "*.batches.create", "reply": 429, "retry_after": wait}]))
    outcome = created(tmp_path, Vendor.OPENAI, made)
    assert isinstance(outcome, Rejected)
    assert outcome.retry_after is None
