"""The rates of past releases: one packed CSV file each, so that any two can be laid side by side.

`pricing/archive/<version>.csv.gz` holds every line of that release's `rates/*.csv`, in the order of
the files, under one header. The same rates make the same text whenever and wherever they are packed
(no clock, no file name inside).
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from llm_audit.errors import InputError, PricingError
from llm_audit.prices import catalogue
from llm_audit.prices.records import PriceRow

CURRENT = "current"
"""Stands for the price data that this program uses."""

_ENDING = ".csv.gz"
_COLUMNS = [field for field in fields(PriceRow) if field.name != "where"]
_CONVERT: dict[str, Any] = {"str": str, "int": int, "date": date.fromisoformat, "Decimal": Decimal}


def releases(place: Path | None = None) -> list[str]:
    """Versions that have an archive, oldest first."""
    folder = (place or catalogue.folder()) / "archive"
    return sorted(file.name.removesuffix(_ENDING) for file in folder.glob(f"*{_ENDING}"))


def write(place: Path, version: str) -> Path:
    """Pack the rates of the price data in `place` as release `version`."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([column.name for column in _COLUMNS])
    for file in _rate_files(place):
        with file.open(encoding="utf-8", newline="") as lines:
            rows.writerows(
                [line[column.name] for column in _COLUMNS] for line in csv.DictReader(lines)
            )
    packed = place / "archive" / f"{version}{_ENDING}"
    packed.parent.mkdir(exist_ok=True)
    with (
        packed.open("wb") as out,
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as archive,
    ):
        archive.write(text.getvalue().encode("utf-8"))
    return packed


def read(name: str, place: Path | None = None) -> tuple[PriceRow, ...]:
    """The rates of a release, of `current`, or of a folder that looks like `pricing/`.

    Errors: `InputError` for a name that is none of these; `PricingError` for a damaged file.
    """
    home = place or catalogue.folder()
    if name == CURRENT:
        return tuple(_folder_rows(home))
    if name in releases(home):
        return tuple(_archived_rows(home / "archive" / f"{name}{_ENDING}"))
    if Path(name).is_dir() and _rate_files(Path(name)):
        return tuple(_folder_rows(Path(name)))
    raise InputError(
        f"{name} is neither a release of the price data nor a folder with rates/*.csv",
        slug="price-release",
        hint=f"name a folder, `{CURRENT}`, or one of: {', '.join(releases(home)) or '(none)'}",
    )


def _rate_files(place: Path) -> list[Path]:
    return sorted(place.glob("rates/*.csv"))


def _folder_rows(place: Path) -> Iterator[PriceRow]:
    for file in _rate_files(place):
        with file.open(encoding="utf-8", newline="") as lines:
            yield from _rows(lines, file.name)


def _archived_rows(file: Path) -> Iterator[PriceRow]:
    try:
        text = gzip.decompress(file.read_bytes()).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise PricingError(
            f"the archive {file.name} is damaged",
            slug="pricing-archive",
            hint="install llm-audit again, or restore the file from the repository",
        ) from None
    yield from _rows(io.StringIO(text), file.name)


def _rows(lines: Iterable[str], name: str) -> Iterator[PriceRow]:
    reader = csv.DictReader(lines)
    for line in reader:
        where = f"{name}:{reader.line_num}"
        try:
            values = {c.name: _value(line[c.name], str(c.type)) for c in _COLUMNS}
        except (KeyError, TypeError, ValueError, InvalidOperation):
            raise PricingError(
                f"{where} is not a line of rates",
                slug="pricing-value",
                hint="`llm-audit prices check` says more about the price data in use",
            ) from None
        yield PriceRow(**values, where=where)


def _value(text: str, kind: str) -> Any:
    if not text and kind.endswith(" | None"):
        return None
    return _CONVERT[kind.removesuffix(" | None")](text)
