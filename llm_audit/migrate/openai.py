"""OpenAI's Batch API by its SDK (platform.openai.com/docs/guides/batch, batch.md 1.1).

The SDK's own retries are off: it would send a POST again without a token by which the vendor could
know it (batch.md, fact 1). Redirects are off: the key goes to the configured host alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.migrate import vendor
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, Vendor
from llm_audit.migrate.vendor import Outcome, Page, Upload

if TYPE_CHECKING:
    import openai

KEEP_SECONDS = 7 * 86_400
"""Uploads and results are deleted by the vendor after so long (F25); 30 days is its default."""

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class OpenAIDriver:
    """The calls a migration makes. The key comes from the environment, and stays in the client."""

    vendor = Vendor.OPENAI
    uploads = True
    page = 100

    def __init__(self, timeout: float = 600.0) -> None:
        import openai

        key = vendor.key_from("OPENAI_API_KEY")
        base = vendor.base_url("OPENAI_BASE_URL", "https://api.openai.com/v1")
        self._errors = openai
        self._client: openai.OpenAI = openai.OpenAI(
            api_key=key,
            base_url=base,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )
        self.account = vendor.account_of(key, base, self._client.default_headers)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _call(self, make: Callable[[], Any]) -> Outcome:
        return vendor.heard(self._errors, lambda: make().http_response)

    def upload(self, shard: ShardRow) -> Outcome:
        """The name tells the shard and the content, so that it is found again (F2)."""
        path = Path(shard.path)
        with path.open("rb") as file:
            return self._call(
                lambda: self._client.files.with_raw_response.create(
                    file=(path.name, file),
                    purpose="batch",
                    expires_after={"anchor": "created_at", "seconds": KEEP_SECONDS},
                )
            )

    def uploaded(self, after: str | None) -> Outcome:
        """GET /files; there is no search by name."""
        mark = after or self._errors.omit
        return self._call(
            lambda: self._client.files.with_raw_response.list(
                purpose="batch", limit=1000, after=mark
            )
        )

    def create(self, shard: ShardRow) -> Outcome:
        """The metadata is what an unknown outcome is reconciled by (F4)."""
        return self._call(
            lambda: self._client.batches.with_raw_response.create(
                input_file_id=shard.file_id or "",
                endpoint=shard.endpoint,  # type: ignore[arg-type]
                completion_window="24h",
                metadata={
                    "llm_audit_intent": shard.intent,
                    "llm_audit_run": shard.run_id,
                    "llm_audit_sha256": shard.sha256,
                    "n": str(shard.requests),
                },
                output_expires_after={"anchor": "created_at", "seconds": KEEP_SECONDS},
            )
        )

    def retrieve(self, batch_id: str) -> Outcome:
        """GET /batches/ID."""
        return self._call(lambda: self._client.batches.with_raw_response.retrieve(batch_id))

    def batches(self, after: str | None) -> Outcome:
        """GET /batches."""
        mark = after or self._errors.omit
        return self._call(
            lambda: self._client.batches.with_raw_response.list(limit=self.page, after=mark)
        )

    def download(self, source: str, part: Path) -> Outcome:
        """GET /files/ID/content, streamed."""

        def call() -> Any:
            with self._client.files.with_streaming_response.content(source) as response:
                vendor.save(response.http_response, part)
                return vendor.Saved(response.http_response)

        return vendor.heard(self._errors, call)

    def cancel(self, batch_id: str) -> Outcome:
        """POST /batches/ID/cancel."""
        return self._call(lambda: self._client.batches.with_raw_response.cancel(batch_id))

    def delete_upload(self, file_id: str) -> Outcome:
        """DELETE /files/ID."""
        return self._call(lambda: self._client.files.with_raw_response.delete(file_id))

    def read_upload(self, body: bytes) -> str:
        """The id."""
        return vendor.id_in(vendor.parsed(body))

    def read_uploads(self, body: bytes) -> Page[Upload]:
        """Files of a page."""
        return vendor.page_of(body, _upload)

    def read_batch(self, body: bytes) -> RemoteBatch:
        """A batch object."""
        return _batch(vendor.parsed(body))

    def read_batches(self, body: bytes) -> Page[RemoteBatch]:
        """Batches of a page."""
        return vendor.page_of(body, _batch)


def _upload(data: dict[str, Any]) -> Upload:
    """Errors: `ValueError`."""
    name, size = data.get("filename"), data.get("bytes")
    if not isinstance(name, str) or type(size) is not int:
        raise ValueError("no file")
    return Upload(vendor.id_in(data), name, size)


def _batch(data: dict[str, Any]) -> RemoteBatch:
    """What is not understood of it is left empty, unless it tells where the batch stands.

    Errors: `ValueError`.
    """
    batch_id, status = vendor.id_in(data), vendor.id_in(data, "status")
    counts = vendor.whole(data.get("request_counts"))
    return RemoteBatch(
        batch_id=batch_id,
        status=status,
        ended=status in ENDED,
        created_at=_time(data.get("created_at")),
        has_begun=bool(data.get("in_progress_at")),
        ended_at=_time(next((at for at in map(data.get, _ENDS) if at), None)),
        expires_at=_time(data.get("expires_at")),
        total=counts.get("total"),
        counts=counts,
        metadata=_metadata(data.get("metadata")),
        input_file_id=_file(data, "input_file_id"),
        output_file_id=_file(data, "output_file_id"),
        error_file_id=_file(data, "error_file_id"),
        errors=tuple(_errors(data.get("errors"))),
        usage=vendor.whole(data.get("usage")),
    )


_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")


def _metadata(data: Any) -> dict[str, str] | None:
    if data is None:
        return {}
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else None


def _file(data: dict[str, Any], key: str) -> str | None:
    """A file's id; "" has been seen for none (batch.md, fact 6)."""
    return vendor.id_in(data, key) if data.get(key) not in (None, "") else None


def _errors(errors: Any) -> Iterator[tuple[str, str, int | None]]:
    data = errors.get("data") if isinstance(errors, dict) else None
    for error in data if isinstance(data, list) else ():
        if isinstance(error, dict):
            line = error.get("line")
            code, message = str(error.get("code") or ""), str(error.get("message") or "")
            yield code, message, line if type(line) is int else None


def _time(seconds: Any) -> datetime | None:
    return vendor.at(seconds) if isinstance(seconds, (int, float)) else None
