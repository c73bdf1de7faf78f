"""The committed sample logs are what the generator makes, and as rich as promised."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT
from tests.tools.make_sample_logs import KINDS, write

SAMPLES = ROOT / "sample_logs"
TRUTH = ROOT / "tests" / "golden" / "sample_logs_truth.json"


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(TRUTH.read_text(encoding="utf-8"))
    return loaded


def _contents(folder: Path) -> dict[str, bytes]:
    """Path below `folder` -> content, unpacked: zlib builds pack the same text differently."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): gzip.decompress(data) if path.suffix == ".gz" else data
        for path in files
        for data in (path.read_bytes(),)
    }


def test_the_generator_makes_the_committed_files(tmp_path: Path) -> None:
    write(tmp_path / "logs", tmp_path / "truth.json")
    made, committed = _contents(tmp_path / "logs"), _contents(SAMPLES)
    assert made.keys() == committed.keys()
    assert [path for path in made if made[path] != committed[path]] == []
    assert (tmp_path / "truth.json").read_text() == TRUTH.read_text()


def test_gzip_headers_carry_no_time_and_no_name() -> None:
    for path in SAMPLES.rglob("*.gz"):
        header = path.read_bytes()[:8]
        assert header == b"\x1f\x8b\x08\x00\x00\x00\x00\x00", path


def test_the_folder_stays_small() -> None:
    sizes = [path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(sizes) <= 3_000_000


def test_the_company_is_rich_enough(truth: dict[str, Any]) -> None:
    assert len(truth["workloads"]) >= 12
    assert len({file["format"] for file in truth["files"].values()}) >= 6
    labels = Counter(workload["intended"] for workload in truth["workloads"].values())
    assert set(labels) == {"batch_eligible", "gray_area", "realtime"}
    assert 9_000 <= truth["totals"]["calls"] <= 12_000


def test_the_counts_of_the_truth_close(truth: dict[str, Any]) -> None:
    for counts in (*truth["files"].values(), truth["totals"]):
        assert counts["lines"] == sum(counts[kind] for kind in KINDS)
        assert counts["lines"] > 0


def test_lines_on_disk_are_those_of_the_truth(truth: dict[str, Any]) -> None:
    contents = _contents(SAMPLES)
    for path, counts in truth["files"].items():
        lines = [line for line in contents[path].split(b"\n") if line.strip()]
        frame = {".csv.gz": 1, ".json.gz": 2}  # a CSV's header; an array's brackets
        extra = next((n for suffix, n in frame.items() if path.endswith(suffix)), 0)
        assert len(lines) - extra == counts["lines"], path


def test_workloads_add_up_to_the_calls(truth: dict[str, Any]) -> None:
    """Four unsuccessful requests of the Anthropic batch belong to no workload's calls."""
    calls = sum(workload["calls"] for workload in truth["workloads"].values())
    assert calls + 4 == truth["totals"]["calls"]


def test_no_line_names_a_label() -> None:
    for path, content in _contents(SAMPLES).items():
        if path != "README.md":
            assert b"batch_eligible" not in content
            assert b"gray_area" not in content
