"""Reading `pricing/`: CSV lines into typed records, and the digest that names their release.

Nothing here judges a line beyond "is this a date, is this a number"; whether the lines agree with
each other is `checks`' business.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from llm_audit.errors import PricingError
from llm_audit.prices.records import (
    Alias,
    BatchTerms,
    CacheRule,
    FreeOperation,
    Lifecycle,
    Modifier,
    PriceRow,
    Release,
    Row,
    UnitFee,
)


@dataclass(frozen=True)
class Catalogue:
    """Everything in `pricing/`."""

    prices: tuple[PriceRow, ...]
    aliases: tuple[Alias, ...]
    lifecycle: tuple[Lifecycle, ...]
    unit_fees: tuple[UnitFee, ...]
    cache_rules: tuple[CacheRule, ...]
    free_operations: tuple[FreeOperation, ...]
    modifiers: tuple[Modifier, ...]
    batch_terms: tuple[BatchTerms, ...]
    releases: tuple[Release, ...]
    sources: frozenset[str]
    names: dict[str, Any]
    sha256: str

    @property
    def version(self) -> str:
        """The release whose digest these files have, or the last one with `+edited`."""
        for release in self.releases:
            if release.sha256 == self.sha256:
                return release.version
        return f"{self.releases[-1].version}+edited" if self.releases else "unreleased"


def folder() -> Path:
    """`pricing/` inside the installed package, else at the root of the checkout."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "pricing", package.parent / "pricing"):
        if (place / "releases.csv").is_file():
            return place
    raise PricingError(
        "the price data is missing from this installation",
        slug="pricing-missing",
        hint="install llm-audit again; its folder `pricing` belongs beside the package",
    )


def read(place: Path | None = None) -> Catalogue:
    """Read every file of `pricing/`. Errors: `PricingError` names the file and line."""
    place = place or folder()
    return Catalogue(
        prices=tuple(
            row for file in sorted(place.glob("rates/*.csv")) for row in _rows(file, PriceRow)
        ),
        aliases=_rows(place / "aliases.csv", Alias),
        lifecycle=_rows(place / "lifecycle.csv", Lifecycle),
        unit_fees=_rows(place / "unit_fees.csv", UnitFee),
        cache_rules=_rows(place / "cache_rules.csv", CacheRule),
        free_operations=_rows(place / "free_operations.csv", FreeOperation),
        modifiers=_rows(place / "modifiers.csv", Modifier),
        batch_terms=_rows(place / "batch_terms.csv", BatchTerms),
        releases=_rows(place / "releases.csv", Release),
        sources=frozenset(_toml(place / "sources.toml")),
        names=_toml(place / "names.toml"),
        sha256=digest(place),
    )


def digest(place: Path) -> str:
    """SHA-256 over the data files (names and contents, LF line ends), the releases left out."""
    total = hashlib.sha256()
    for file in sorted(place.rglob("*")):
        if file.suffix in (".csv", ".toml") and file.name != "releases.csv":
            content = file.read_bytes().replace(b"\r\n", b"\n")
            total.update(f"{file.relative_to(place).as_posix()}\n{len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()


_R = TypeVar("_R", bound=Row)

_CONVERT: dict[str, Callable[[str], object]] = {
    "str": str,
    "int": int,
    "date": date.fromisoformat,
    "Decimal": Decimal,
}


def _rows(file: Path, kind: type[_R]) -> tuple[_R, ...]:
    columns = [f for f in fields(kind) if f.name != "where"]
    with _open(file) as lines:
        reader = csv.DictReader(lines)
        if reader.fieldnames != [column.name for column in columns]:
            raise PricingError(
                f"{file.name} does not have the columns of a {kind.__name__}",
                slug="pricing-columns",
                hint="its first line must be " + ",".join(column.name for column in columns),
            )
        return tuple(
            kind(
                **{c.name: _value(line[c.name], str(c.type), where, c.name) for c in columns},
                where=where,
            )
            for line in reader
            for where in (f"{file.name}:{reader.line_num}",)
        )


def _value(text: str | None, kind: str, where: str, column: str) -> Any:
    optional = kind.endswith(" | None")
    if not text:
        if optional:
            return None
        problem = "is empty"
    else:
        try:
            return _CONVERT[kind.removesuffix(" | None")](text)
        except (ValueError, InvalidOperation):
            problem = f"{text[:40]!r} is not a {kind.removesuffix(' | None')}"
    raise PricingError(
        f"{where}: {column} {problem}",
        slug="pricing-value",
        hint="dates are YYYY-MM-DD, rates plain decimals; quote a text that holds a comma",
    )


def _toml(file: Path) -> dict[str, Any]:
    with _open(file) as lines:
        try:
            return tomllib.loads(lines.read())
        except tomllib.TOMLDecodeError as error:
            raise PricingError(
                f"{file.name} is not TOML: {error}", slug="pricing-toml", hint="mend that line"
            ) from None


def _open(file: Path) -> Any:
    try:
        return file.open(encoding="utf-8", newline="")
    except OSError as error:
        raise PricingError(
            f"cannot read the price file {file.name}: {error.strerror}",
            slug="pricing-missing",
            hint="install llm-audit again, or restore the file from the repository",
        ) from None
