"""The arithmetic of a call's costs, or of many calls with the same rates, spelled out.

Quantities and rates are those of `call_cards` and `rate_sheets`; each product is one that
`sql/52_costs.sql` adds up, so the lines add up to the row of `costs`, to the last decimal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from llm_audit.explain.result import Card, CostLine, RateRow
from llm_audit.explain.rows import Row, rows
from llm_audit.prices.records import USER_RULE, PriceRow

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class _Kind:
    """A kind of quantity: its column in call_cards, and its rates' columns in rate_sheets.

    batch holds the columns of the conservative, the expected and the best scenario; `rate` is the
    middle of list_*, paid_* and flex_*. instead: whose row is taken where the kind has none.
    """

    name: str
    quantity: str
    rate: str
    batch: tuple[str, str, str]
    instead: tuple[str, ...] = ()


_KINDS = (
    _Kind("input", "fresh_tokens", "input", ("batch_input",) * 3),
    _Kind(
        "cached_input", "read_tokens", "cached",
        ("batch_miss", "batch_cached_expected", "batch_cached"), ("input",),
    ),
    _Kind(
        "cache_write_5m", "write_5m_tokens", "write_5m",
        ("batch_miss", "batch_write_5m", "batch_write_5m"), ("input",),
    ),
    _Kind(
        "cache_write_1h", "write_1h_tokens", "write_1h",
        ("batch_miss", "batch_write_1h", "batch_write_1h"), ("cache_write_5m", "input"),
    ),
    _Kind("output", "output_tokens", "output", ("batch_output",) * 3),
    _Kind("audio_input", "audio_input_tokens", "audio_input", ("batch_audio_input",) * 3),
    _Kind("audio_output", "audio_output_tokens", "audio_output", ("batch_audio_output",) * 3),
    _Kind("image_input", "image_input_tokens", "image_input", ("batch_image_input",) * 3),
    _Kind("image_output", "image_output_tokens", "image_output", ("batch_image_output",) * 3),
    _Kind("web_search", "searches", "search_fee", ("batch_search_fee",) * 3),
)  # fmt: skip
_RATES = sorted(
    {
        f"{side}_{k.rate}"
        for k in _KINDS
        for side in ("list", "paid", "flex")
        if k.name != "web_search"
    }
    | {column for k in _KINDS for column in k.batch}
    | {"search_fee"}
)
_ALIKE = (
    "price_status", "batch_status", "has_flex", "model_key", "tier", "from_tokens", "below_tokens",
    *_RATES,
)  # fmt: skip
NO_LIMIT = 9223372036854775807


class Rates:
    """The price data's rows, to say which one a rate of a card comes from."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, price_rows: Iterable[PriceRow], as_of: date
    ) -> None:
        self._as_of = as_of
        self._rows: defaultdict[str, list[PriceRow]] = defaultdict(list)
        for row in price_rows:
            if row.is_live and row.region_scope == "any":
                self._rows[row.model_key].append(row)
        self._names = {
            row["model_key"]: row["price_key"]
            for row in rows(connection, "SELECT DISTINCT model_key, price_key FROM model_names")
        }
        self._regions = rows(connection, "SELECT * FROM region_factors")
        self._contracts = {
            (row["model_key"], row["tier"]): row["factor"]
            for row in rows(connection, "SELECT * FROM contract_factors")
        }

    def row(self, card: Row, tier: str, kinds: Sequence[str]) -> RateRow | None:
        """The row in force for the first of `kinds` that has a rate, chosen as `sql/43` does."""
        day = card["day"] or self._as_of
        for kind in kinds:
            found = [
                row
                for row in self._rows[self._names.get(card["model_key"]) or ""]
                if (row.tier, row.token_kind) == (tier, kind)
                and row.effective_from <= day < (row.effective_to or date.max)
                and row.from_tokens <= card["from_tokens"]
            ]
            if not found:
                continue
            best = min(found, key=lambda row: (row.rule != USER_RULE, -row.from_tokens))
            if best.usd_per_mtok is not None:
                return RateRow(
                    kind, best.usd_per_mtok, best.rule, best.where, best.source,
                    best.effective_from, best.effective_to, best.verified_on,
                )  # fmt: skip
        return None

    def region_factor(self, card: Row) -> Decimal | None:
        """The factor of the region that the calls ran in, if one holds on the card's day."""
        day = card["day"] or self._as_of
        for row in self._regions:
            holds = row["effective_from"] <= day < row["effective_to"]
            if holds and row["model_key"] == card["model_key"]:
                return Decimal(row["region_factor"])
        return None

    def contract_factor(self, card: Row) -> Decimal | None:
        """The user's negotiated factor on the list rates."""
        factor = self._contracts.get((card["model_key"], card["tier"]))
        return None if factor is None else Decimal(factor)


def cards(rates: Rates, found: Sequence[Row]) -> tuple[Card, ...]:
    """Rows of call_cards or workload_cards beside their sheets, as one card per set of rates."""
    alike: defaultdict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in found:
        alike[tuple(row[name] for name in _ALIKE)].append(row)
    with localcontext(prec=60):
        made = [_card(rates, group) for group in alike.values()]
    return tuple(sorted(made, key=lambda card: (-(card.effective_cost or 0), -card.calls)))


def _card(rates: Rates, group: Sequence[Row]) -> Card:
    first = group[0]
    days = [row["day"] for row in group if row["day"] is not None]
    lines = tuple(
        line
        for kind in _KINDS
        if first["price_status"] == "priced" and (line := _line(rates, kind, group))
    )
    free = first["price_status"] in ("not_billed", "free")

    def total(costs: Iterable[Decimal | None], known: bool) -> Decimal | None:
        if free:
            return Decimal(0)
        return sum((cost or Decimal(0) for cost in costs), Decimal(0)) if known else None

    priced = first["price_status"] == "priced"
    batch = priced and first["batch_status"] in ("published", "already_batch")
    has_sheet = first["card_id"] is not None
    return Card(
        price_status=first["price_status"],
        batch_status=first["batch_status"],
        model_key=first["model_key"],
        tier=first["tier"],
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        from_tokens=first["from_tokens"] or 0,
        below_tokens=None if first["below_tokens"] in (None, NO_LIMIT) else first["below_tokens"],
        region_factor=rates.region_factor(first) if has_sheet else None,
        contract_factor=rates.contract_factor(first) if has_sheet else None,
        expected_hit_share=first["expected_hit_share"],
        measured_hits=first["measured_hits"],
        calls=sum(row["calls"] for row in group),
        lines=lines,
        list_cost=total((line.list_cost for line in lines), priced),
        effective_cost=total((line.paid_cost for line in lines), priced),
        batch_conservative=total((line.batch_conservative_cost for line in lines), batch),
        batch_expected=total((line.batch_expected_cost for line in lines), batch),
        batch_best=total((line.batch_best_cost for line in lines), batch),
        flex_cost=total((line.flex_cost for line in lines), priced and first["has_flex"]),
    )


def _line(rates: Rates, kind: _Kind, group: Sequence[Row]) -> CostLine | None:
    first = group[0]
    quantity = sum(int(row[kind.quantity]) for row in group)
    if not quantity:
        return None
    fee = kind.name == "web_search"
    listed = first["search_fee"] if fee else first[f"list_{kind.rate}"]
    paid = first["search_fee"] if fee else first[f"paid_{kind.rate}"]
    flex = None
    if first["has_flex"]:
        flex = first["search_fee"] if fee else first[f"flex_{kind.rate}"]
    in_batch: tuple[Decimal | None, ...] = (None, None, None)
    if first["batch_status"] == "already_batch":
        in_batch = (paid, paid, paid)
    elif first["batch_status"] == "published":
        in_batch = tuple(first[column] for column in kind.batch)
    costs = [None if rate is None else quantity * rate for rate in (listed, paid, *in_batch, flex)]
    kinds = (kind.name, *kind.instead)
    return CostLine(
        kind=kind.name,
        quantity=quantity,
        list_rate=listed,
        list_cost=costs[0],
        paid_rate=paid,
        paid_cost=costs[1],
        batch_conservative_rate=in_batch[0],
        batch_conservative_cost=costs[2],
        batch_expected_rate=in_batch[1],
        batch_expected_cost=costs[3],
        batch_best_rate=in_batch[2],
        batch_best_cost=costs[4],
        flex_rate=flex,
        flex_cost=costs[5],
        row=None if fee else rates.row(first, first["tier"], kinds),
        batch_row=None if fee else rates.row(first, "batch", kinds),
    )
