"""The price card: `pricing/` checked, dated and laid into tables that `sql/` prices calls with.

`load` fills price_rows, unit_fees, cache_rules, free_operations, model_lifecycle, price_modifiers,
region_factors, batch_terms, contract_multipliers, measured_batches, model_names and pricing_meta.
The arithmetic is in `sql/40` to `sql/69`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.policy import Measured, PriceMultiplier, UserPrice
from llm_audit.prices import catalogue as catalogue_module
from llm_audit.prices import checks, contract, regions, user
from llm_audit.prices import measured as own_batches
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.records import (
    USER_RULE,
    BatchTerms,
    CacheRule,
    FreeOperation,
    Lifecycle,
    Modifier,
    PriceRow,
    UnitFee,
)
from llm_audit.prices.resolve import Resolver
from llm_audit.schema import SERVICE_TIERS

if TYPE_CHECKING:
    import duckdb

__all__ = ["PriceCard", "check", "load"]


@dataclass(frozen=True)
class PriceCard:
    """Which prices a run used: printed in every report.

    `oldest_verified_on` is the least recently checked rate in force on `as_of`; `pending` counts
    rates announced for a day that nobody has checked again since, and that are not used;
    `user_rows` rates come from the user's llm-audit.toml and are in none of the other figures.
    """

    version: str
    sha256: str
    as_of: date
    oldest_verified_on: date | None
    rows: int
    pending: int
    user_rows: int


def check(place: Path | None = None) -> None:
    """Raise `PricingError`, with a hint that repairs it, if the price data contradicts itself."""
    checks.check(catalogue_module.read(place))


def load(
    connection: duckdb.DuckDBPyConnection,
    as_of: date,
    *,
    aliases: Mapping[str, str] | None = None,
    multipliers: Sequence[PriceMultiplier] = (),
    user_prices: Sequence[UserPrice] = (),
    measured: Sequence[Measured] = (),
    place: Path | None = None,
) -> PriceCard:
    """Check `pricing/` and fill the price tables beside `calls`, for forward prices of `as_of`.

    `aliases` are the user's own names of models (deployments, profiles), `multipliers` the lines of
    their contract; the last line that fits a model and tier wins, and without one the list price
    is paid. `user_prices` go before ours, token kind by token kind. A multiplier is a factor on
    token rates, not on fees. `measured` replaces the documented share of cache hits in a batch.
    Errors: `PricingError` when the data contradicts itself.
    """
    data = catalogue_module.read(place)
    checks.check(data)
    data = replace(data, prices=(*data.prices, *user.rows(user_prices, data)))
    live = [row for row in data.prices if row.is_live]
    ours = [row for row in live if row.rule != USER_RULE]
    card = PriceCard(
        version=data.version,
        sha256=data.sha256,
        as_of=as_of,
        oldest_verified_on=min((r.verified_on for r in ours if _in_force(r, as_of)), default=None),
        rows=len(ours),
        pending=len(data.prices) - len(live),
        user_rows=len(live) - len(ours),
    )
    _fill_data(connection, data, live)
    _fill(connection, "pricing_meta", PriceCard, [card])
    modifiers = regions.Modifiers(data.modifiers)
    names = _model_names(connection, Resolver(data, aliases), modifiers)
    _fill(connection, "model_names", _ModelName, names)
    _fill(connection, "region_factors", _RegionFactor, _region_factors(names, modifiers))
    _fill(connection, "contract_multipliers", _ContractFactor, _contract(names, multipliers))
    _fill_measured(connection, names, measured)
    return card


def _in_force(row: PriceRow, day: date) -> bool:
    return row.effective_from <= day < (row.effective_to or date.max)


def _contract(
    names: Sequence[_ModelName], multipliers: Sequence[PriceMultiplier]
) -> list[_ContractFactor]:
    """The contract's globs laid out over the models that this log uses."""
    return sorted(
        {
            _ContractFactor(
                name.model_key,
                tier,
                contract.factor(multipliers, name.provider, name.surface, name.model, tier),
            )
            for name in names
            for tier in SERVICE_TIERS
            if name.model_key
        }
    )


def idle_multipliers(
    connection: duckdb.DuckDBPyConnection, multipliers: Sequence[PriceMultiplier]
) -> list[PriceMultiplier]:
    """Lines of the contract that fit no model of `model_names`, which `load` has filled."""
    names = connection.execute(
        "SELECT DISTINCT provider, surface, model FROM model_names WHERE model_key IS NOT NULL"
    ).fetchall()
    return [line for line in multipliers if not any(contract.fits(line, *name) for name in names)]


def _fill_measured(
    connection: duckdb.DuckDBPyConnection, names: Sequence[_ModelName], measured: Sequence[Measured]
) -> None:
    """The measurements of the models that this log uses."""
    used = {(n.model_key, n.provider, n.surface, n.model) for n in names if n.model_key}
    rows = list(own_batches.rows(measured, sorted(used, key=str)))
    _fill(connection, "measured_batches", own_batches.MeasuredBatches, rows)


def idle_measured(
    connection: duckdb.DuckDBPyConnection, measured: Sequence[Measured]
) -> list[Measured]:
    """Measurements of no model of this log, after `load` with them."""
    used = connection.execute("SELECT DISTINCT model FROM measured_batches").fetchall()
    return [entry for entry in measured if (" ".join(entry.names),) not in used]


def idle_user_prices(
    connection: duckdb.DuckDBPyConnection, prices: Sequence[UserPrice]
) -> list[UserPrice]:
    """Own rates that no model of `model_names` is priced by, which `load` has filled."""
    if not prices:
        return []
    data = catalogue_module.read()
    used = {
        key for (key,) in connection.execute("SELECT price_key FROM model_names").fetchall() if key
    }
    return [
        price for price in prices if not used & {row.model_key for row in user.rows([price], data)}
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


def _model_names(
    connection: duckdb.DuckDBPyConnection, resolver: Resolver, modifiers: regions.Modifiers
) -> list[_ModelName]:
    """One row per distinct name in `calls` and `usage_buckets`: a few hundred, however long."""
    written = connection.execute(
        "SELECT DISTINCT provider_name, request_model, response_model, inference_region FROM calls "
        "UNION SELECT DISTINCT provider_name, NULL, model, NULL FROM usage_buckets ORDER BY ALL"
    ).fetchall()
    return [_model_name(resolver, modifiers, *names) for names in written]


def _model_name(
    resolver: Resolver,
    modifiers: regions.Modifiers,
    provider_name: str | None,
    request_model: str | None,
    response_model: str | None,
    inference_region: str | None,
) -> _ModelName:
    found = resolver.resolve(provider_name, request_model, response_model)
    region = found.region_scope or inference_region
    dearer = modifiers.lines(found.provider, found.surface, found.model, region)
    return _ModelName(
        provider_name,
        request_model,
        response_model,
        inference_region,
        found.provider,
        found.surface,
        found.model,
        found.snapshot,
        model_key=f"{found.price_key}+{region}" if dearer else found.price_key,
        price_key=found.price_key,
        region=region,
        match_method=found.match_method,
        hint=found.hint,
        steps=found.steps,
    )


def _region_factors(
    names: Sequence[_ModelName], modifiers: regions.Modifiers
) -> list[_RegionFactor]:
    """The regional factors of the models that this log uses."""
    return sorted(
        {
            _RegionFactor(
                name.model_key or "",
                line.factor,
                line.effective_from or date.min,
                line.effective_to or date.max,
            )
            for name in names
            for line in modifiers.lines(name.provider, name.surface, name.model, name.region)
        }
    )


@dataclass(frozen=True, order=True)
class _RegionFactor:
    model_key: str
    region_factor: Decimal
    effective_from: date
    effective_to: date


@dataclass(frozen=True, order=True)
class _ContractFactor:
    model_key: str
    tier: str
    factor: Decimal


@dataclass(frozen=True)
class _ModelName:
    provider_name: str | None
    request_model: str | None
    response_model: str | None
    inference_region: str | None
    provider: str | None
    surface: str | None
    model: str | None
    snapshot: str | None
    model_key: str | None
    price_key: str | None
    region: str | None
    match_method: str
    hint: str
    steps: str


_SQL_TYPES = {"str": "VARCHAR", "int": "BIGINT", "date": "DATE", "Decimal": "DECIMAL(18,9)"}
_NARROW_TYPES = {"usd_per_token": "DECIMAL(14,12)", "region_factor": "DECIMAL(4,3)"}
"""Exact products need the decimals counted: rate x factor has to fit into DECIMAL(38)."""


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
    types |= {name: narrow for name, narrow in _NARROW_TYPES.items() if name in types}
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
