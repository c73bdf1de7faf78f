"""Request files: exact bytes, private, atomic, and refused when they are not what was planned."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from llm_audit.errors import MigrationError
from llm_audit.migrate import files
from llm_audit.migrate.files import Expected, Written
from llm_audit.migrate.model import Request, Vendor

URLS = {Vendor.OPENAI: "/v1/chat/completions", Vendor.ANTHROPIC: "/v1/messages"}
BODIES = [
    '{"model": "m", "max_tokens": 9, "messages": [{"content": "é \u2028 1"}]}'.encode(),
    b'{"model": "m", "max_tokens": 9, "messages": [{"content": "},\\n"}]}',
    b'{"model": "m", "max_tokens": 9, "messages": [{"content": "\\"body\\":"}]}',
]


def request(number: int, body: bytes, vendor: Vendor) -> Request:
    return Request(
        request_key=hashlib.sha256(str(number).encode()).hexdigest(),
        call_id=str(number),
        workload_id="w",
        vendor=vendor,
        endpoint=URLS[vendor],
        model="m",
        betas=(),
        body_sha256=hashlib.sha256(body).hexdigest(),
        body_bytes=len(body),
        input_tokens=1,
        output_tokens=1,
        finish_reason=None,
        sync_cost=Decimal(2),
        batch_cost=Decimal(1),
    )


def written(folder: Path, vendor: Vendor) -> tuple[Path, Expected]:
    requests = [request(n, body, vendor) for n, body in enumerate(BODIES)]
    ids = [files.custom_id("abcd2345", r.request_key) for r in requests]
    path = folder / f"la-test{files.ENDINGS[vendor]}"
    lines = [files.line(vendor, name, URLS[vendor], b) for name, b in zip(ids, BODIES, strict=True)]
    done = files.write(path, vendor, lines)
    return path, Expected(vendor, URLS[vendor], "m", ids, requests, done, 10_000)


def test_openai_takes_json_lines(tmp_path: Path) -> None:
    path, expected = written(tmp_path, Vendor.OPENAI)
    entries = [json.loads(line) for line in path.read_text("utf-8").removesuffix("\n").split("\n")]
    assert [list(entry) for entry in entries] == [["custom_id", "method", "url", "body"]] * 3
    assert {entry["url"] for entry in entries} == {"/v1/chat/completions"}
    assert [entry["body"] for entry in entries] == [json.loads(body) for body in BODIES]
    files.preflight(path, expected)


def test_anthropic_takes_one_object(tmp_path: Path) -> None:
    path, expected = written(tmp_path, Vendor.ANTHROPIC)
    document = json.loads(path.read_bytes())
    assert list(document) == ["requests"]
    assert [entry["params"] for entry in document["requests"]] == [json.loads(b) for b in BODIES]
    files.preflight(path, expected)


@pytest.mark.parametrize("vendor", Vendor)
def test_sizes_are_foreseen_to_the_byte_or_above(tmp_path: Path, vendor: Vendor) -> None:
    path, expected = written(tmp_path, vendor)
    foreseen = files.FRAME[vendor] + sum(
        files.line_bytes(vendor, URLS[vendor], len(body)) for body in BODIES
    )
    size = path.stat().st_size
    assert size == expected.written.bytes
    assert 0 <= foreseen - size <= 2
    assert expected.written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("vendor", Vendor)
def test_bodies_can_be_read_back_as_they_were(tmp_path: Path, vendor: Vendor) -> None:
    path, expected = written(tmp_path, vendor)
    assert list(files.bodies(path, vendor)) == list(zip(expected.ids, BODIES, strict=True))


def test_files_are_private(tmp_path: Path) -> None:
    path, _ = written(tmp_path, Vendor.OPENAI)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def lines() -> object:
        yield b"{}"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "f", Vendor.OPENAI, lines())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="cannot write"):
        files.write(tmp_path / "none" / "f", Vendor.OPENAI, [])


def test_custom_ids_fit_both_vendors() -> None:
    name = files.custom_id("abcd2345", "ab" * 32, 2)
    assert name.startswith("la-abcd2345-")
    assert name.endswith("-g2")
    assert files.CUSTOM_ID.fullmatch(name)
    assert len(name) == len("la-abcd2345-") + 20 + 3


TAMPERED = {
    "its bytes": lambda text: text[:-2] + b" \n",
    "not JSON": lambda text: text.replace(b'"m"', b'm"', 1),
    "its custom_id": lambda text: text.replace(b"abcd2345", b"abcd2346", 1),
    "its model": lambda text: text.replace(b'"model": "m"', b'"model": "n"', 1),
    "its method or url": lambda text: text.replace(b"POST", b"GETS", 1),
    "its members": lambda text: text.replace(b'"custom_id"', b'"custom_ib"', 1),
    "its body": lambda text: text.replace(b'"max_tokens": 9', b'"max_tokens": 8', 1),
    "2 requests where 3": lambda text: text[: text.rindex(b"\n", 0, -1) + 1],
}


@pytest.mark.parametrize("problem", TAMPERED)
def test_preflight_finds_what_is_not_as_planned(tmp_path: Path, problem: str) -> None:
    path, expected = written(tmp_path, Vendor.OPENAI)
    text = TAMPERED[problem](path.read_bytes())
    path.write_bytes(text)
    if problem != "its bytes":
        digest = hashlib.sha256(text).hexdigest()
        expected = replace(expected, written=Written(len(text), digest))
    bodies = [body for _, body in files.bodies(path, Vendor.OPENAI)] if b"POST" in text else []
    if problem == "its model":  # a planned body may be wrong as well
        hashes = [hashlib.sha256(body).hexdigest() for body in bodies]
        requests = [
            replace(r, body_sha256=h) for r, h in zip(expected.requests, hashes, strict=True)
        ]
        expected = replace(expected, requests=requests)
    with pytest.raises(
        MigrationError, match="custom_id|members" if "members" in problem else problem
    ):
        files.preflight(path, expected)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"model": "m", "messages": [1], "stream": true}', "a stream"),
        (b'{"model": "m", "messages": [1], "service_tier": "flex"}', "a tier"),
        (b'{"model": "m", "messages": []}', "no prompt"),
        (b'{"model": "m", "messages": [1], "max_tokens": 0}', "max_tokens"),
        (b"[]", "no object"),
    ],
)
def test_preflight_does_not_trust_the_plan(tmp_path: Path, body: bytes, problem: str) -> None:
    vendor = Vendor.ANTHROPIC
    one = request(1, body, vendor)
    name = files.custom_id("abcd2345", one.request_key)
    done = files.write(tmp_path / "f.json", vendor, [files.line(vendor, name, "", body)])
    with pytest.raises(MigrationError, match=problem):
        files.preflight(
            tmp_path / "f.json", Expected(vendor, URLS[vendor], "m", [name], [one], done, 10**6)
        )


def test_preflight_holds_the_vendors_own_limit(tmp_path: Path) -> None:
    path, expected = written(tmp_path, Vendor.OPENAI)
    with pytest.raises(MigrationError, match="more than a batch may have"):
        files.preflight(path, replace(expected, max_bytes=10))
