"""OpenAI's Files API, as far as batches need it."""

from __future__ import annotations

import re

from tests.migrate.fake import files
from tests.migrate.fake.files import StoredFile
from tests.migrate.fake.scenario import Json
from tests.migrate.fake.store import Store
from tests.migrate.fake.wire import Call, Reply, limit_of, ok, refuse

DISPOSITION = re.compile(rb'\b(name|filename)="((?:[^"\\]|\\.)*)"')


def create(store: Store, call: Call) -> Reply:
    """Upload: purpose batch, a .jsonl that is not empty, an expiry of 1 hour to 30 days."""
    fields, upload = read_form(call)
    for key in fields:
        if key not in ("purpose", "expires_after[anchor]", "expires_after[seconds]"):
            raise refuse(call, 400, f"Unknown parameter: '{key}'.", "unknown_parameter", key)
    if fields.get("purpose") != "batch":
        raise refuse(call, 400, "Invalid 'purpose': this server takes 'batch'.", None, "purpose")
    if upload is None:
        raise refuse(call, 400, "Missing required parameter: 'file'.", None, "file")
    filename, content = upload
    limits = store.scenario.openai
    if len(content) > limits.upload_bytes:
        raise refuse(call, 413, "Maximum content size limit exceeded.")
    if not content:
        raise refuse(call, 400, "File is empty.", None, "file")
    if not filename.endswith(".jsonl"):
        raise refuse(call, 400, "Invalid file format for Batch API. Must be .jsonl", None, "file")
    seconds = limits.file_seconds
    if set(fields) & {"expires_after[anchor]", "expires_after[seconds]"}:
        given = fields.get("expires_after[seconds]", "")
        policy = {
            "anchor": fields.get("expires_after[anchor]"),
            "seconds": int(given) if given.isdecimal() else None,
        }
        seconds = expiry(call, policy, "expires_after")
    file_id = files.add(store, call.account, filename, "batch", content, seconds)
    file = files.find(store, file_id, call.account)
    assert file is not None
    return ok(shown(file) | {"expires_at": None})  # as observed: told on retrieve only


def expiry(call: Call, policy: object, name: str) -> float:
    """Seconds of an `expires_after`: anchor created_at, 3600 to 2592000."""
    if not isinstance(policy, dict) or policy.get("anchor") != "created_at":
        raise refuse(call, 400, f"Invalid '{name}.anchor'.", None, f"{name}.anchor")
    seconds = policy.get("seconds")
    if not isinstance(seconds, int) or not 3600 <= seconds <= 2_592_000:
        raise refuse(call, 400, f"Invalid '{name}.seconds'.", None, f"{name}.seconds")
    return float(seconds)


def listing(store: Store, call: Call) -> Reply:
    """Newest first unless `order=asc`; limit 1 to 10,000."""
    found = files.newest_first(store, call.account, call.query.get("purpose"))
    if call.query.get("order", "desc") == "asc":
        found.reverse()
    sheet = page(call, [file.id for file in found], limit_of(call, 10_000, 10_000))
    return ok(sheet | {"data": [shown(file) for file in found if file.id in sheet["data"]]})


def retrieve(store: Store, call: Call) -> Reply:
    """One file object."""
    return ok(shown(existing(store, call)))


def delete(store: Store, call: Call) -> Reply:
    """RefusalError while a batch still reads it: what the vendor then does is not known."""
    file = existing(store, call)
    for batch in store.batches("openai", call.account):
        if batch.input_file_id == file.id and not batch.ended:
            raise refuse(call, 409, f"File {file.id} is in use by {batch.id}.")
    files.delete(store, file.id)
    return ok({"id": file.id, "object": "file", "deleted": True})


def content(store: Store, call: Call) -> Reply:
    """Its bytes."""
    file = existing(store, call)
    data = files.content(store, file.id)
    return Reply(200, data, {"content-type": "application/octet-stream"})


def existing(store: Store, call: Call) -> StoredFile:
    """The file in the path, not expired and of this account."""
    file = files.find(store, call.target or "", call.account)
    if file is None:
        raise refuse(call, 404, f"No such File object: {call.target}", None, "id")
    return file


def shown(file: StoredFile) -> Json:
    """A file object."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at),
        "expires_at": int(file.expires_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def page(call: Call, ids: list[str], limit: int) -> Json:
    """One page after the id `after`; its `data` are ids."""
    after = call.query.get("after")
    if after is not None:
        if after not in ids:
            raise refuse(call, 404, f"No such object: {after}", None, "after")
        ids = ids[ids.index(after) + 1 :]
    data = ids[:limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0] if data else None,
        "last_id": data[-1] if data else None,
        "has_more": len(ids) > limit,
    }


def read_form(call: Call) -> tuple[dict[str, str], tuple[str, bytes] | None]:
    """multipart/form-data: the fields, and name and bytes of the part `file`."""
    kind = call.headers.get("content-type", "")
    found = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.startswith("multipart/form-data") or not found:
        raise refuse(call, 400, "Expected multipart/form-data.")
    fields: dict[str, str] = {}
    upload = None
    for part in (b"\r\n" + call.body).split(b"\r\n--" + found[1].encode())[1:]:
        if part.startswith(b"--"):
            return fields, upload
        head, blank, data = part.partition(b"\r\n\r\n")
        names = {key.decode(): value.decode() for key, value in DISPOSITION.findall(head)}
        if not blank or "name" not in names:
            break
        if names["name"] == "file":
            upload = (names.get("filename", ""), data)
        else:
            fields[names["name"]] = data.decode()
    raise refuse(call, 400, "The multipart body is not complete.")
