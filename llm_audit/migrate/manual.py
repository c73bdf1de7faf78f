"""What lies beside the request files: a manifest; with --out, how a person submits them by hand.

The manifest leads each custom_id back to its log line. It holds no text of a prompt. A run's own
folder has no README: to submit its files by hand as well would be to buy them twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_audit import __version__
from llm_audit.migrate.anthropic import VERSION
from llm_audit.migrate.files import custom_id, private_file
from llm_audit.migrate.model import Planned, Vendor
from llm_audit.migrate.openai import KEEP_SECONDS

MANIFEST, README = "manifest.json", "README.md"

_OPENAI = """\
    from openai import OpenAI
    client = OpenAI(max_retries=0)  # a second try would be a second purchase
    week = {{"anchor": "created_at", "seconds": {seconds}}}  # then OpenAI deletes it
    file = client.files.create(file=open("{name}", "rb"), purpose="batch", expires_after=week)
    batch = client.batches.create(
        input_file_id=file.id, endpoint="{endpoint}", completion_window="24h",
        output_expires_after=week)
    print(batch.id)
"""
_ANTHROPIC = """\
    import json; from anthropic import Anthropic
    client = Anthropic(
        max_retries=0,  # a second try would be a second purchase
        default_headers={{"anthropic-version": "{version}"}})  # takes the bodies as they are
    requests = json.load(open("{name}", encoding="utf-8"))["requests"]
    batch = client.{beta}messages.batches.create(requests=requests{betas})
    print(batch.id)
"""


def write(folder: Path, run_id: str, now: datetime, planned: Sequence[Planned]) -> None:
    """Write the manifest, the last file of all: a folder that has one is complete."""
    with private_file(folder / MANIFEST) as file:
        # In pieces: the map of 100,000 requests is as large as all the rest.
        for piece in json.JSONEncoder(indent=1).iterencode(_manifest(run_id, now, planned)):
            file.write(piece.encode())
        file.write(b"\n")


def explain(folder: Path, planned: Sequence[Planned]) -> None:
    """Write the README of files that a person is to submit. Errors: `MigrationError`."""
    with private_file(folder / README) as file:
        file.write(_readme(planned).encode())


def _manifest(run_id: str, now: datetime, planned: Sequence[Planned]) -> dict[str, Any]:
    sources = sorted({r.source_file for p in planned for r in p.requests})
    places = {name: place for place, name in enumerate(sources)}
    return {
        "schema_version": 1,
        "tool_version": __version__,
        "run_id": run_id,
        "created_at": now.isoformat(),
        "source_files": sources,
        "shards": [_entry(p, places) for p in planned],
    }


def _entry(planned: Planned, places: dict[str, int]) -> dict[str, Any]:
    shard = planned.shard
    return {
        "file": Path(shard.path).name,
        "sha256": shard.sha256,
        "bytes": shard.bytes,
        "requests": shard.requests,
        "input_tokens": shard.input_tokens,
        "vendor": shard.vendor.value,
        "endpoint": shard.endpoint,
        "model": shard.model,
        "betas": list(shard.betas),
        "canary": shard.canary,
        "sync_cost": f"{shard.sync_cost:f}",
        "batch_cost": f"{shard.batch_cost:f}",
        "sources": {
            # "file:line", the file by its place in `source_files`.
            custom_id(shard.intent, r.request_key): f"{places[r.source_file]}:{r.source_line}"
            for r in planned.requests
        },
    }


def _readme(planned: Sequence[Planned]) -> str:
    vendors = {p.shard.vendor for p in planned}
    lines = [
        "# Batches to submit by hand",
        "",
        "Each file is one batch. Submit the canaries first and look at their results; then the",
        "others. `manifest.json` has the hashes, the costs, and the log line of each custom_id.",
        "The files hold prompts: delete them when they have done their work.",
        "",
        "To submit them is to buy these answers again, and `llm-audit migrate` does not learn of",
        "it: a later run would buy them once more. Submitted as below, OpenAI deletes prompts and",
        f"answers after {KEEP_SECONDS // 86_400} days; Anthropic keeps them for 29.",
        "",
        "| file | canary | requests | vendor | endpoint | betas |",
        "|---|---|---|---|---|---|",
    ]
    for shard in (p.shard for p in planned):
        lines.append(
            f"| {Path(shard.path).name} | {'yes' if shard.canary else ''} | {shard.requests:,} "
            f"| {shard.vendor.value} | {shard.endpoint} | {', '.join(shard.betas)} |"
        )
    for vendor in sorted(vendors):
        shard = next(p.shard for p in planned if p.shard.vendor is vendor)
        lines += [
            "",
            f"## {vendor.value}",
            "",
            _snippet(vendor, shard.path, shard.endpoint, shard.betas),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _snippet(vendor: Vendor, path: str, endpoint: str, betas: Sequence[str]) -> str:
    """The vendor's SDK in a few lines. All that is filled in is ours or fits a strict pattern."""
    template = _OPENAI if vendor is Vendor.OPENAI else _ANTHROPIC
    return template.format(
        name=Path(path).name,
        seconds=KEEP_SECONDS,
        version=VERSION,
        endpoint=endpoint,
        beta="beta." if betas else "",
        betas=f", betas={list(betas)}" if betas else "",
    )
