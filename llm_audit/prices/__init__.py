"""The price card: `pricing/` checked, dated and laid into tables that `sql/` prices calls with.

`load` fills price_rows, unit_fees, cache_rules, free_operations, model_lifecycle, price_modifiers,
batch_terms, contract_multipliers, model_names and pricing_meta. The arithmetic itself is in
`sql/40` to `sql/79`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import PricingError
from llm_audit.policy import PriceMultiplier
from llm_audit.prices import catalogue as catalogue_module
from llm_audit.prices import checks
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.records import (
    BatchTerms,
    CacheRule,
    FreeOperation,
    Lifecycle,
    Modifier,
    PriceRow,
    UnitFee,
)
from llm_audit.prices.resolve import Resolution, Resolver
from llm_audit.schema import SERVICE_TIERS

if TYPE_CHECKING:
    import duckdb

__all__ = ["PriceCard", "check", "load"]


@dataclass(frozen=True)
class PriceCard:
    """Which prices a run used: printed in every report.

    `oldest_verified_on` is the least recently checked rate in force on `as_of`; `pending` counts
    rates announced for a day that nobody has checked again since, and that are not used.
    """

    version: str
    sha256: str
    as_of: date
    oldest_verified_on: date | None
    rows: int
    pending: int


def check(place: Path | None = None) -> None:
    """Raise `PricingError`, with a hint that repairs it, if the price data contradicts itself."""
    checks.check(catalogue_module.read(place))


def load(
    connection: duckdb.DuckDBPyConnection,
    as_of: date,
    *,
    aliases: Mapping[str, str] | None = None,
    multipliers: Sequence[PriceMultiplier] = (),
    place: Path | None = None,
) -> PriceCard:
    """Check `pricing/` and fill the price tables beside `calls`, for forward prices of `as_of`.

    `aliases` are the user's own names of models (deployments, profiles), `multipliers` the lines of
    their contract; the last line that fits a model and tier wins, and without one the list price
    is paid. Errors: `PricingError` when the data contradicts itself.
    """
    data = catalogue_module.read(place)
    checks.check(data)
    _check_multipliers(multipliers)
    live = [row for row in data.prices if row.is_live]
    card = PriceCard(
        version=data.version,
        sha256=data.sha256,
        as_of=as_of,
        oldest_verified_on=min((r.verified_on for r in live if _in_force(r, as_of)), default=None),
        rows=len(live),
        pending=len(data.prices) - len(live),
    )
    _fill_data(connection, data, live)
    _fill(connection, "pricing_meta", PriceCard, [card])
    names = _model_names(connection, Resolver(data, aliases))
    _fill(connection, "model_names", _ModelName, names)
    _fill(connection, "contract_multipliers", _ContractFactor, _contract(names, multipliers))
    return card


def _in_force(row: PriceRow, day: date) -> bool:
    return row.effective_from <= day < (row.effective_to or date.max)


def _check_multipliers(multipliers: Sequence[PriceMultiplier]) -> None:
    for line in multipliers:
        if not 0 < line.multiplier <= 10:
            raise PricingError(
                f"a contract multiplier of {line.multiplier} for {line.provider} {line.model}",
                slug="pricing-multiplier",
                hint="it is a factor on the list price: 0.85 means 15 % off",
            )


def _contract(
    names: Sequence[_ModelName], multipliers: Sequence[PriceMultiplier]
) -> list[_ContractFactor]:
    """The contract's globs laid out over the models that this log uses."""
    factors = {
        (name.model_key, tier): Decimal(str(line.multiplier)).quantize(Decimal("0.000001"))
        for line in multipliers
        for name in names
        for tier in SERVICE_TIERS
        if name.model_key
        and fnmatchcase(name.provider or "", line.provider)
        and fnmatchcase(name.model or "", line.model)
        and line.tier in ("", tier)
    }
    return [_ContractFactor(key, tier, factor) for (key, tier), factor in factors.items() if key]


def idle_multipliers(
    connection: duckdb.DuckDBPyConnection, multipliers: Sequence[PriceMultiplier]
) -> list[PriceMultiplier]:
    """Lines of the contract that fit no model of `model_names`, which `load` has filled."""
    names = connection.execute(
        "SELECT DISTINCT provider, model FROM model_names WHERE model_key IS NOT NULL"
    ).fetchall()
    return [
        line
        for line in multipliers
        if not any(
            fnmatchcase(provider or "", line.provider) and fnmatchcase(model or "", line.model)
            for provider, model in names
        )
    ]


def _fill_data(
    connection: duckdb.DuckDBPyConnection, data: Catalogue, live: Sequence[PriceRow]
) -> None:
    _fill(
        connection, "price_rows", PriceRow, live,
        model_key="str", from_tokens="int", usd_per_token="Decimal",
    )  # fmt: skip
    _fill(connection, "model_lifecycle", Lifecycle, data.lifecycle, model_key="str")
    _fill(connection, "unit_fees", UnitFee, data.unit_fees)
    _fill(connection, "cache_rules", CacheRule, data.cache_rules)
    _fill(connection, "free_operations", FreeOperation, data.free_operations)
    _fill(connection, "price_modifiers", Modifier, data.modifiers)
    _fill(connection, "batch_terms", BatchTerms, data.batch_terms)


def _model_names(connection: duckdb.DuckDBPyConnection, resolver: Resolver) -> list[_ModelName]:
    """One row per distinct name triple of `calls`: a few hundred, however long the log is."""
    triples = connection.execute(
        "SELECT DISTINCT provider_name, request_model, response_model FROM calls ORDER BY ALL"
    ).fetchall()
    return [_ModelName(*triple, *_astuple(resolver.resolve(*triple))) for triple in triples]


@dataclass(frozen=True)
class _ContractFactor:
    model_key: str
    tier: str
    factor: Decimal


@dataclass(frozen=True)
class _ModelName:
    provider_name: str | None
    request_model: str | None
    response_model: str | None
    provider: str | None
    surface: str | None
    model: str | None
    snapshot: str | None
    model_key: str | None
    match_method: str
    hint: str
    steps: str


def _astuple(resolution: Resolution) -> tuple[str | None, ...]:
    return tuple(getattr(resolution, field.name) for field in fields(resolution))


_SQL_TYPES = {"str": "VARCHAR", "int": "BIGINT", "date": "DATE", "Decimal": "DECIMAL(18,9)"}


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    kind: type,
    rows: Sequence[object],
    **computed: str,
) -> None:
    """Create `table` with the fields of `kind` (and its `computed` properties) and fill it."""
    columns = {f.name: str(f.type) for f in fields(kind) if f.name != "where"} | computed
    types = {name: _SQL_TYPES[type_.removesuffix(" | None")] for name, type_ in columns.items()}
    if "usd_per_token" in types:
        types["usd_per_token"] = "DECIMAL(14,12)"
    declared = ", ".join(f'"{name}" {type_}' for name, type_ in types.items())
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({declared})")
    marks = ", ".join("unnest(CAST(? AS VARCHAR[]))" for _ in columns)
    values = [[_text(getattr(row, name)) for row in rows] for name in columns]
    if rows:
        connection.execute(f"INSERT INTO {table} SELECT {marks}", values)


def _text(value: object) -> str | None:
    """How a value crosses to DuckDB, which casts it to the column's type, exactly."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if value is None else str(value)
