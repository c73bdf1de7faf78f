"""Anthropic's Message Batches by its SDK (docs.claude.com/en/api/creating-message-batches).

As for OpenAI, neither the SDK's retries nor redirects. The request file is the body of the POST,
byte for byte: the SDK's `batches.create` would write it anew.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from llm_audit.migrate import vendor
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, Vendor
from llm_audit.migrate.vendor import Kind, Outcome, Page, Rejected

if TYPE_CHECKING:
    import anthropic

VERSION = "2023-06-01"
"""Of the API: the one that takes all bodies of the logs, sampling parameters included."""


class AnthropicDriver:
    """The calls a migration makes. The key comes from the environment, and stays in the client."""

    vendor = Vendor.ANTHROPIC
    uploads = False
    page = 100

    def __init__(self, timeout: float = 600.0) -> None:
        import anthropic

        key = vendor.key_from("ANTHROPIC_API_KEY")
        self._errors = anthropic
        self._base = vendor.base_url("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
        self._client: anthropic.Anthropic = anthropic.Anthropic(
            api_key=key,
            base_url=self._base,
            max_retries=0,
            timeout=timeout,
            http_client=anthropic.DefaultHttpxClient(follow_redirects=False),
            default_headers={"anthropic-version": VERSION},
        )
        self.account = vendor.account_of(key, self._base, self._client.default_headers)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _call(self, make: Callable[[], Any]) -> Outcome:
        return vendor.heard(self._errors, lambda: make().http_response)

    def create(self, shard: ShardRow) -> Outcome:
        """POST /v1/messages/batches."""
        import httpx2

        headers = {"content-type": "application/json"}
        if shard.betas:
            headers["anthropic-beta"] = shard.betas
        with Path(shard.path).open("rb") as file:
            return vendor.heard(
                self._errors,
                lambda: self._client.post(
                    "/v1/messages/batches",
                    cast_to=httpx2.Response,
                    content=file,
                    options={"headers": headers},
                ),
            )

    def retrieve(self, batch_id: str) -> Outcome:
        """GET /v1/messages/batches/ID."""
        return self._call(
            lambda: self._client.messages.batches.with_raw_response.retrieve(batch_id)
        )

    def batches(self, after: str | None) -> Outcome:
        """GET /v1/messages/batches."""
        mark = after or self._errors.omit
        return self._call(
            lambda: self._client.messages.batches.with_raw_response.list(
                limit=self.page, after_id=mark
            )
        )

    def download(self, source: str, part: Path) -> Outcome:
        """GET the results_url, streamed; never from another host, as the key goes with it."""
        import httpx2

        if source.startswith("/") and not source.startswith("//"):
            source = urljoin(self._base, source)
        if not vendor.same_host(source, self._base):
            why = "its results lie on another host, where the key must not go"
            return Rejected(0, Kind.OTHER, "foreign_host", why, None, b"", None, None)

        def call() -> Any:
            # What `with_streaming_response` sets; the SDK's own `results` looks the URL up anew.
            headers = {"accept": "application/binary", "x-stainless-raw-response": "stream"}
            options: Any = {"headers": headers}
            with closing(
                self._client.get(source, cast_to=httpx2.Response, options=options)
            ) as response:
                vendor.save(response, part)
            return vendor.Saved(response)

        return vendor.heard(self._errors, call)

    def cancel(self, batch_id: str) -> Outcome:
        """POST /v1/messages/batches/ID/cancel."""
        return self._call(lambda: self._client.messages.batches.with_raw_response.cancel(batch_id))

    def read_batch(self, body: bytes) -> RemoteBatch:
        """A batch object."""
        return _batch(vendor.parsed(body))

    def read_batches(self, body: bytes) -> Page[RemoteBatch]:
        """Batches of a page."""
        return vendor.page_of(body, _batch)


def _batch(data: dict[str, Any]) -> RemoteBatch:
    """Its size counts only where all the counts are there that we know, and no others.

    Errors: `ValueError`.
    """
    batch_id, status = vendor.id_in(data), vendor.id_in(data, "processing_status")
    url = data.get("results_url")
    if url is not None and not isinstance(url, str):
        raise ValueError("its results_url is no text")
    counts = vendor.whole(data.get("request_counts"))
    return RemoteBatch(
        batch_id=batch_id,
        status=status,
        ended=status == "ended",
        created_at=_time(data.get("created_at")),
        ended_at=_time(data.get("ended_at")),
        expires_at=_time(data.get("expires_at")),
        total=sum(counts.values()) or None if counts.keys() == _COUNTS else None,
        counts=counts,
        metadata=None,
        input_file_id=None,
        output_file_id=url or None,
        error_file_id=None,
        errors=(),
    )


_COUNTS = {"processing", "succeeded", "errored", "canceled", "expired"}


def _time(text: Any) -> datetime | None:
    """RFC 3339, None for anything else."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=time.tzinfo or UTC) if time else None
