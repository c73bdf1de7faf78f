"""Our own format: a CSV file with the columns of `pricing/rates/*.csv`.

For rates that someone collected by hand, or for the file that an update wrote and a person edited.
"""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from llm_audit.errors import InputError
from llm_audit.prices.importers import reading
from llm_audit.prices.importers.records import ANY_REGION, Candidate, Import, Skipped
from llm_audit.prices.records import TOKEN_KINDS, PriceRow
from llm_audit.schema import SERVICE_TIERS

SOURCE = "csv"
COLUMNS = tuple(field.name for field in fields(PriceRow) if field.name != "where")


def read(file: Path) -> Import:
    """Candidates of a CSV file; lines without a rate (none_published, not_offered) are left out.

    Errors: `InputError` names the line: somebody wrote this file by hand and can mend it.
    """
    source = reading.content(file)
    reader = csv.DictReader(io.StringIO(source.text, newline=""))
    if reader.fieldnames != list(COLUMNS):
        raise InputError(
            f"{source.name} does not have the columns of pricing/rates/*.csv",
            slug="price-file-format",
            hint="its first line must be " + ",".join(COLUMNS),
        )
    candidates: list[Candidate] = []
    skipped: list[Skipped] = []
    try:
        for line in reader:
            where = f"{source.name}:{reader.line_num}"
            if None in line or None in line.values():
                raise _bad(where, "it does not have as many columns as the first line")
            if line["usd_per_mtok"]:
                candidates.append(_candidate(line, source, where))
            else:
                skipped.append(Skipped(where, f"no rate: {line['rule'][:40]}"))
    except csv.Error as error:
        raise _bad(f"{source.name}:{reader.line_num}", str(error)) from None
    return Import(SOURCE, source.name, source.sha256, tuple(candidates), tuple(skipped))


def _candidate(line: dict[str, str], source: reading.Content, where: str) -> Candidate:
    for column, known in (("tier", SERVICE_TIERS), ("token_kind", TOKEN_KINDS)):
        if line[column] not in known:
            raise _bad(where, f"{column} must be one of {', '.join(known)}")
    for column in ("provider", "surface", "model", "source"):
        if not line[column]:
            raise _bad(where, f"{column} is empty")
    rate = reading.usd_per_mtok(_number(line["usd_per_mtok"]), per_mtok=1)
    if isinstance(rate, str):
        raise _bad(where, f"usd_per_mtok is {rate}")
    band = reading.tokens(_number(line["band_min_tokens"]))
    if (band is None) == bool(line["band_min_tokens"]) or (band is None) == (
        line["band_operator"] in (">", ">=")
    ):
        raise _bad(where, "band_min_tokens needs a number and band_operator > or >=, or neither")
    return Candidate(
        provider=line["provider"],
        surface=line["surface"],
        model=line["model"],
        snapshot=line["snapshot"] or None,
        tier=line["tier"],
        region_scope=line["region_scope"] or ANY_REGION,
        band_min_tokens=band,
        band_operator=line["band_operator"] or None,
        token_kind=line["token_kind"],
        usd_per_mtok=rate,
        effective_from=_day(line["effective_from"], where),
        effective_to=_day(line["effective_to"], where),
        from_basis="change" if line["from_basis"] in ("change", "launch") else line["from_basis"],
        source=line["source"],
        digest=source.sha256,
        key=where,
    )


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _day(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise _bad(where, "dates are YYYY-MM-DD") from None


def _bad(where: str, problem: str) -> InputError:
    return InputError(
        f"{where}: {problem}",
        slug="price-file-line",
        hint="mend the line; pricing/README.md says what each column means",
    )
