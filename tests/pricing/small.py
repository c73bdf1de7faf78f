"""A small price card of one model, sound in every respect, to spoil in tests."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from tests.support import ROOT

SOURCES = '[page]\ntitle = "Demo price page"\n\n[letter]\ntitle = "A letter"\n'
RATE = {
    "provider": "openai",
    "surface": "first_party",
    "model": "demo-1",
    "tier": "standard",
    "region_scope": "any",
    "effective_from": "2026-01-01",
    "from_basis": "launch",
    "rule": "published",
    "source": "page",
    "retrieved_on": "2026-11-01",
    "verified_on": "2026-11-20",
}
RATES = (
    {"token_kind": "input", "usd_per_mtok": "2"},
    {"token_kind": "cached_input", "usd_per_mtok": "0.5"},
    {"token_kind": "output", "usd_per_mtok": "8"},
    {"tier": "batch", "token_kind": "input", "usd_per_mtok": "1"},
    {"tier": "batch", "token_kind": "output", "usd_per_mtok": "4"},
)
"""Lines 2 to 6 of rates/demo.csv."""
CACHE_RULE = {
    "provider": "openai",
    "surface": "first_party",
    "caching": "automatic",
    "unpublished_rate": "input",
    "expected_hit_share": "0.5",
    "source": "page",
}


def small_pricing(folder: Path) -> Path:
    """A folder like `pricing/`, with our real columns, one model and no finding."""
    real, place = ROOT / "pricing", folder / "small"
    (place / "rates").mkdir(parents=True)
    for file in real.glob("*.csv"):
        _headed(file, place / file.name)
    _headed(real / "rates" / "openai.csv", place / "rates" / "demo.csv")
    shutil.copy(real / "names.toml", place)
    (place / "sources.toml").write_text(SOURCES, encoding="utf-8")
    for rate in RATES:
        add_rate(place, **rate)
    add(place, "cache_rules.csv", **CACHE_RULE)
    return place


def _headed(file: Path, to: Path) -> None:
    with file.open(encoding="utf-8") as lines:
        to.write_text(lines.readline(), encoding="utf-8")


def add_rate(place: Path, **columns: str) -> Path:
    """Append a rate of the model, standard and published unless `columns` say otherwise."""
    return add(place, "rates/demo.csv", **{**RATE, **columns})


def add(place: Path, name: str, **columns: str) -> Path:
    """Append a line; columns not named stay empty. Returns the folder, for the next change."""
    with (place / name).open("r+", encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
        lines.seek(0, 2)
        csv.DictWriter(lines, header, restval="", lineterminator="\n").writerow(columns)
    return place


def change(place: Path, name: str, number: int, **columns: str) -> Path:
    """Change columns of one line (the header is line 1)."""
    file = place / name
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows[number - 2].update(columns)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return place
