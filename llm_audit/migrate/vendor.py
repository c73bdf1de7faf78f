"""What a driver is, and the three ways in which a call to a vendor can end.

The difference between "refused" and "not known" is the whole point: only a refusal in the vendor's
own words proves that nothing was made, and only then a call that costs money may be made again.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, Vendor
from llm_audit.text import printable


class Kind(StrEnum):
    """What a refusal means for what is to be done."""

    BILLING = "billing"
    KEY = "key"
    RATE = "rate"
    MODEL = "model"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    OTHER = "other"


@dataclass(frozen=True)
class Reply:
    """The vendor did what was asked. at: its own clock. body: empty for a download."""

    status: int
    body: bytes
    at: datetime | None
    request_id: str | None


@dataclass(frozen=True)
class Rejected:
    """The vendor refused, in its own words: nothing was made. retry_after: seconds."""

    status: int
    kind: Kind
    code: str
    message: str
    retry_after: float | None
    body: bytes
    at: datetime | None
    request_id: str | None


@dataclass(frozen=True)
class Unknown:
    """It may or may not have happened. why: fit to be shown. status: of an answer, if there was."""

    why: str
    status: int | None = None
    body: bytes = b""


Outcome = Reply | Rejected | Unknown

PROOF = frozenset({400, 401, 402, 403, 404, 413, 422, 429})
"""Statuses that, with the vendor's error body, prove that nothing was made (batch.md, rule 2)."""


@dataclass(frozen=True)
class Upload:
    """A file at the vendor. bytes: its size."""

    file_id: str
    name: str
    bytes: int


NAMELESS = "?"

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a vendor's list, the newest first. after: the next page's mark.

    unread: ids of entries that make no sense otherwise, `NAMELESS` for one without even an id.
    """

    entries: tuple[T, ...]
    unread: tuple[str, ...]
    after: str | None


class Driver(Protocol):
    """One vendor's batch API by its own SDK. Calls never raise for what the network does.

    A reply's body is read by the functions below the calls, after it has been stored; they raise
    `ValueError` for one that makes no sense.
    """

    vendor: Vendor
    account: str
    """What is kept of the key and of all that tells whose batches it shows: `account_of`."""
    uploads: bool
    """Whether the request file goes up before the batch is made; then it is an `Uploader`."""
    page: int
    """How many batches one page of the list may have."""

    def close(self) -> None:
        """Hang up."""

    def create(self, shard: ShardRow) -> Outcome:
        """Make the batch: this spends money."""

    def retrieve(self, batch_id: str) -> Outcome:
        """Look at a batch."""

    def batches(self, after: str | None) -> Outcome:
        """One page of the account's batches, the newest first."""

    def download(self, source: str, part: Path) -> Outcome:
        """Stream results into a file, whole or not: `Unknown` where the stream broke off."""

    def cancel(self, batch_id: str) -> Outcome:
        """Ask for an early end; what is done by then is paid."""

    def read_batch(self, body: bytes) -> RemoteBatch:
        """A batch."""

    def read_batches(self, body: bytes) -> Page[RemoteBatch]:
        """A page of batches."""


class Uploader(Driver, Protocol):
    """A driver whose vendor takes the request file apart from the batch."""

    def upload(self, shard: ShardRow) -> Outcome:
        """Send the request file. Costs nothing."""

    def uploaded(self, after: str | None) -> Outcome:
        """One page of the uploaded files."""

    def delete_upload(self, file_id: str) -> Outcome:
        """Delete a request file at the vendor."""

    def read_upload(self, body: bytes) -> str:
        """The id of an uploaded file."""

    def read_uploads(self, body: bytes) -> Page[Upload]:
        """A page of files."""


def uploader(driver: Driver) -> Uploader:
    """The same driver, where there is a file to speak of."""
    assert driver.uploads
    return cast("Uploader", driver)


BILLING_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "account_deactivated",
        "spend_limit_exceeded",
    }
)
BILLING_SENTENCES = re.compile(
    r"your credit balance is too low"
    r"|you exceeded your current quota"
    r"|billing hard limit has been reached"
    r"|your account is not active, please check your billing"
    r"|you have reached your specified (workspace )?(api )?usage limit"
    r"|.{0,60}\bspend limit (has been |was |is )?(reached|exceeded)",
    re.IGNORECASE,
)
"""How the vendors begin when they want money, whatever the type says (batch.md, facts 8, F18). A
word proves nothing: a tool may be called `create_payment`, and the text of OpenAI's ordinary rate
limit speaks of adding a payment method."""

MODEL_CODES = frozenset({"model_not_found", "invalid_model", "model_not_available"})
MODEL_SENTENCES = re.compile(
    r"model: \S+$"
    r"|invalid model\b"
    r"|(the |this |requested )*model\b.{0,120}? (does not exist|not found|is not found"
    r"|(is|are) not (supported|available)|(has been|was|is) (deprecated|retired|decommissioned))",
    re.IGNORECASE | re.DOTALL,
)
"""What is refused is the model, not a parameter that "is not supported with this model"."""


def is_billing(code: str, message: str) -> bool:
    """Whether an error is for want of money, and so no fault of the request."""
    return code in BILLING_CODES or BILLING_SENTENCES.match(message.strip()) is not None


def is_model(code: str, message: str) -> bool:
    """Whether an error says that the model is not there, or not for batches."""
    return code in MODEL_CODES or MODEL_SENTENCES.match(message.strip()) is not None


def heard(errors: Any, call: Callable[[], Any]) -> Outcome:
    """Make a call with an SDK and say how it ended. errors: the SDK's module.

    Both SDKs are made by the same generator and name their exceptions alike.
    """
    try:
        response = call()
    except errors.APIStatusError as error:
        return _refused(error.response)
    except errors.APITimeoutError:
        return Unknown("no answer in time")
    except errors.APIConnectionError as error:
        cause = type(error.__cause__).__name__ if error.__cause__ else "no connection"
        return Unknown(f"the connection failed ({cause})")
    except (errors.APIError, BrokenStreamError) as error:
        return Unknown(f"the answer broke off ({type(error).__name__})")
    except Exception as error:
        # While they read the body of a refusal the SDKs let their transport's errors through.
        if type(error).__module__.split(".")[0] not in ("httpx", "httpx2"):
            raise
        return Unknown(f"the answer broke off ({type(error).__name__})")
    return Reply(
        response.status_code,
        _without_key(response.content, response.request.headers),
        _date(response.headers),
        _id(response.headers),
    )


def _refused(response: Any) -> Outcome:
    """A refusal is proof only in the vendor's own shape: a gateway may say 4xx of its own accord
    after it has passed the request on."""
    try:
        body = response.read()
    except Exception as problem:  # whatever broke the body: it proves nothing
        return Unknown(
            f"status {response.status_code}, its body broke off ({type(problem).__name__})"
        )
    body = _without_key(body, response.request.headers)
    error = _error_of(body)
    if response.status_code not in PROOF or error is None:
        return Unknown(f"status {response.status_code}", response.status_code, body)
    code = str(error.get("code") or error.get("type") or "")
    message = str(error.get("message") or "")
    return Rejected(
        response.status_code,
        kind_of(response.status_code, code, message),
        printable(code, 80),
        printable(message, 300),
        _retry_after(response.headers),
        body,
        _date(response.headers),
        _id(response.headers),
    )


def _without_key(body: bytes, sent: Any) -> bytes:
    """Gateways quote the key that they were sent: their words go on without it. sent: our headers.

    All bytes of a body that the ledger, the files or a message may ever show come through here.
    """
    for name in ("authorization", "x-api-key"):
        key = sent.get(name, "").split(" ")[-1]
        if key:
            body = body.replace(key.encode(), b"[key]")
    return body


def _error_of(body: bytes) -> dict[str, Any] | None:
    """`{"error": {...}}`, with which both vendors refuse."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = data.get("error") if isinstance(data, dict) else None
    return error if isinstance(error, dict) and error.get("message") else None


def kind_of(status: int, code: str, message: str) -> Kind:
    """What a refusal means."""
    if status == 402 or is_billing(code, message):
        return Kind.BILLING
    if status != 429 and is_model(code, message):
        return Kind.MODEL
    return {
        401: Kind.KEY,
        403: Kind.KEY,
        404: Kind.NOT_FOUND,
        413: Kind.TOO_LARGE,
        429: Kind.RATE,
    }.get(status, Kind.OTHER)


def _retry_after(headers: Any) -> float | None:
    """Seconds, or a date, against the vendor's own clock (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - (_date(headers) or until)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _date(headers: Any) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _id(headers: Any) -> str | None:
    text = headers.get("x-request-id") or headers.get("request-id")
    return printable(text, 100) if text else None


@dataclass(frozen=True)
class Saved:
    """A response of which the body is in a file."""

    response: Any
    content: bytes = b""

    @property
    def status_code(self) -> int:
        """As it came."""
        return int(self.response.status_code)

    @property
    def headers(self) -> Any:
        """As they came."""
        return self.response.headers

    @property
    def request(self) -> Any:
        """What it answers."""
        return self.response.request


class BrokenStreamError(Exception):
    """A download that ended before its time."""


def save(response: Any, part: Path) -> None:
    """A streamed response into a private file, durable before it counts.

    Errors: `BrokenStreamError` where it breaks off or is shorter than announced; `MigrationError`
    where it cannot be written.
    """
    try:
        no_links = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | no_links, 0o600)
        with os.fdopen(handle, "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MigrationError(
            f"cannot write {part}: {error.strerror}",
            slug="results-unwritable",
            hint="make room, then `llm-audit migrate resume`; the vendor keeps the results",
        ) from None


def _chunks(response: Any) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes(1 << 20)
    except Exception as error:
        raise BrokenStreamError(type(error).__name__) from None
    told = response.headers.get("content-length")
    is_plain = "content-encoding" not in response.headers
    if told and is_plain and told.strip() != str(response.num_bytes_downloaded):
        raise BrokenStreamError("shorter than announced")


# --- keys and addresses ---------------------------------------------------------------------------


def key_from(variable: str) -> str:
    """An API key from the environment. Errors: `MigrationError` (exit code 4) without a sound one.

    What cannot stand in a header is refused here, as HTTP libraries quote a bad header in full.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise MigrationError(
            f"{variable} is not set",
            slug="key-missing",
            hint=f"export {variable}=... in this shell; the key is never stored",
            exit_code=ExitCode.KEY,
        )
    if not re.fullmatch("[!-~]+", key):
        raise MigrationError(
            f"{variable} holds a character that no key has, such as a space or a line end",
            slug="key-malformed",
            hint=f"export {variable}=... again, with the key alone",
            exit_code=ExitCode.KEY,
        )
    return key


WHOSE = (
    *("authorization", "x-api-key"),
    *("openai-organization", "openai-project", "anthropic-workspace-id"),
)
"""Headers that tell whose batches a client shows."""


def account_of(key: str, base: str, headers: Mapping[str, Any]) -> str:
    """What is kept of whose batches a client shows: its key, address, organisation, project.

    headers: what the client sends with every call, as its SDK has it of the environment too
    (OPENAI_CUSTOM_HEADERS, ANTHROPIC_CUSTOM_HEADERS); names in any case, no text for none. Eight
    hex digits: enough to tell another one, of no use to whoever wants the key.
    """
    sent = {name.lower(): value for name, value in headers.items() if isinstance(value, str)}
    parts = (key, base.rstrip("/"), *(sent.get(name, "") for name in WHOSE))
    return sha256("\0".join(parts).encode()).hexdigest()[:8]


def base_url(variable: str, default: str) -> str:
    """Where the API is: https, or this machine. Errors: `MigrationError` for anything else."""
    url = os.environ.get(variable, "").strip() or default
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.hostname and not parts.username and (
        parts.scheme == "https" or (parts.scheme == "http" and is_here)
    ):  # fmt: skip
        return url
    raise MigrationError(
        f"{variable} is neither https nor on this machine",
        slug="base-url",
        hint="a key must not travel in the clear, nor a name stand in the address",
        exit_code=ExitCode.KEY,
    )


def same_host(url: str, base: str) -> bool:
    """Whether a URL the vendor names leads where the key may go."""
    try:
        return _origin(url) == _origin(base)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Errors: `ValueError` for what is no URL."""
    parts = urlsplit(url)
    return (
        parts.scheme,
        parts.hostname,
        parts.port or {"https": 443, "http": 80}.get(parts.scheme),
    )


# --- what a vendor says ---------------------------------------------------------------------------


def parsed(body: bytes) -> dict[str, Any]:
    """A reply's JSON object. Errors: `ValueError`."""
    try:
        data = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    return data


def id_in(data: Any, key: str = "id") -> str:
    """An id, fit for a URL's path, the ledger and a terminal. Errors: `ValueError`."""
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.:=+~-]{1,256}", value):
        raise ValueError(f"no {key} in it")
    return value


def page_of(body: bytes, read: Callable[[dict[str, Any]], T]) -> Page[T]:
    """A page in the form that both vendors give their lists, what cannot be read set apart.

    What is not such a list proves nothing of what the vendor has. Errors: `ValueError`.
    """
    page = parsed(body)
    data, has_more = page.get("data"), page.get("has_more")
    if not isinstance(data, list) or not isinstance(has_more, bool):
        raise ValueError("not a list")
    if has_more and not data:
        raise ValueError("more of nothing")
    entries: list[T] = []
    unread: list[str] = []
    for item in data:
        try:
            id_in(item)
            entries.append(read(item))
        except ValueError:
            unread.append(_id_or_none(item))
    return Page(tuple(entries), tuple(unread), id_in(data[-1]) if has_more else None)


def _id_or_none(item: Any) -> str:
    try:
        return id_in(item)
    except ValueError:
        return NAMELESS


def whole(counts: Any) -> dict[str, int]:
    """Those of an object's values that are counts, by name."""
    if not isinstance(counts, dict):
        return {}
    return {
        printable(str(key), 40): n
        for key, n in counts.items()
        if type(n) is int and 0 <= n < 1 << 53
    }


def at(seconds: float) -> datetime | None:
    """A time, None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
