"""What the `prices` commands print: dataclasses -> lines fit for a terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.prices.diff import Change, Difference
    from llm_audit.prices.findings import Finding
    from llm_audit.prices.overview import Overview
    from llm_audit.prices.records import PriceRow
    from llm_audit.prices.show import Shown

_DASH = "-"


def overview_lines(overview: Overview) -> list[str]:
    """Version, digest, age, and a line per seller."""
    pending = f", {overview.pending:,} announced and not used" if overview.pending else ""
    return [
        f"price data {printable(overview.version)}, sha256 {overview.sha256}",
        f"{overview.rows:,} rates{pending}; of those in force on {overview.day} the longest "
        f"unchecked was verified on {overview.oldest_verified_on or _DASH}",
        "",
        *_grid(
            ("seller", "models", "rates", "in force", "oldest check"),
            [
                (
                    f"{s.provider}/{s.surface}",
                    f"{s.models:,}",
                    f"{s.rows:,}",
                    f"{s.in_force:,}",
                    str(s.oldest_verified_on or _DASH),
                )
                for s in overview.sellers
            ],
            right=(1, 2, 3),
        ),
        "",
    ]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Every finding with its repair."""
    if not findings:
        return ["no findings"]
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity}: {printable(finding.message, 600)}")
        lines.append(f"    {printable(finding.hint, 600)}")
    errors = sum(finding.severity == "error" for finding in findings)
    return [*lines, f"{errors:,} errors, {len(findings) - errors:,} warnings"]


def shown_lines(shown: Shown) -> list[str]:
    """How the name was read, the rates in force, and what else holds for the model."""
    resolution = shown.resolution
    lines = [
        f"{printable(shown.name)} on {shown.day}, price data {printable(shown.version)}",
        *_resolution_lines(shown),
        "",
        *_rate_lines(shown),
    ]
    lines += _note_lines(row for row in (rate.row for rate in shown.rates) if row.note)
    for title, block in (
        ("yours go before", [_row_text(row) for row in shown.replaced]),
        ("not in force yet", [_row_text(row) for row in shown.announced]),
        ("regions", _region_lines(shown)),
        ("also", _seller_lines(shown)),
        ("sources", [f"{name}: {title}" for name, title in shown.sources.items()]),
    ):
        if block:
            lines += ["", title, *(_wrapped(text) for text in block)]
    if shown.earlier:
        name = printable(f"{resolution.model}")
        lines += ["", f"{shown.earlier:,} earlier rates of {name}: ask for a day with --on"]
    return lines


def _resolution_lines(shown: Shown) -> list[str]:
    found = shown.resolution
    lines = []
    if shown.user_alias:
        lines.append(_wrapped(f"your alias (llm-audit.toml): {shown.user_alias}"))
    how = found.match_method + (f", {shown.alias_line}" if shown.alias_line else "")
    lines.append(_wrapped(f"priced as {found.price_key} (match: {how})"))
    rows = "of this snapshot" if "@" in (found.price_key or "") else "of the model, base rows"
    if found.snapshot:
        rows += f"; the name means snapshot {found.snapshot}"
    lines.append(_wrapped(f"rows {rows}"))
    if found.steps:
        lines.append(_wrapped(f"taken off the name: {found.steps}"))
    if found.hint:
        lines.append(_wrapped(found.hint))
    return lines


def _rate_lines(shown: Shown) -> list[str]:
    if not shown.rates:
        return ["no rate was in force on that day"]
    heads = ["tier", "prompt", "kind", "USD/Mtok", "from", "to", "rule", "source", "read",
             "verified", "line"]  # fmt: skip
    cells = [
        [
            rate.row.tier,
            _band(rate.row),
            rate.row.token_kind,
            _money(rate.row.usd_per_mtok),
            str(rate.row.effective_from),
            str(rate.row.effective_to or _DASH),
            rate.row.rule,
            rate.row.source,
            *(
                (_DASH, _DASH)
                if rate.row.rule == "user"
                else (str(rate.row.retrieved_on), str(rate.row.verified_on))
            ),
            rate.row.where,
        ]
        for rate in shown.rates
    ]
    right = [3]
    if shown.has_own_price:
        heads.insert(4, "you pay")
        for line, rate in zip(cells, shown.rates, strict=True):
            line.insert(4, _money(rate.paid))
        right.append(4)
    return _grid(heads, cells, right=right)


def _note_lines(rows: Iterable[PriceRow]) -> list[str]:
    notes: dict[str, list[str]] = {}
    for row in rows:
        notes.setdefault(row.note or "", []).append(row.where)
    return [_wrapped(f"{_places(places)}: {note}") for note, places in notes.items()]


def _places(places: Sequence[str]) -> str:
    return places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def _region_lines(shown: Shown) -> list[str]:
    lines = []
    for line in shown.modifiers:
        applies = shown.region in line.regions.split()
        lines.append(
            f"x {line.factor} in {line.regions}"
            + (f" (this name says {shown.region})" if applies else " (if the log says so)")
            + f" ({line.where}, {line.source}, verified {line.verified_on})"
        )
    return lines


def _seller_lines(shown: Shown) -> list[str]:
    lines = []
    factors = {rate.row.tier: rate.multiplier for rate in shown.rates if rate.multiplier != 1}
    lines += [f"your contract (llm-audit.toml): x {f} for {tier}" for tier, f in factors.items()]
    for end in shown.lifecycle:
        word = "left" if end.retired_on <= shown.day else "will leave"
        snapshot = f"@{end.snapshot}" if end.snapshot else ""
        look = f"; look at {end.look_at}" if end.look_at else ""
        lines.append(
            f"{end.model}{snapshot} {word} {end.surface} on {end.retired_on} ({end.status}){look} "
            f"({end.where})"
        )
    rule = shown.cache_rule
    if rule:
        lines.append(
            f"caching is {rule.caching}; a cached token without a published rate is "
            + ("plain input" if rule.unpublished_rate == "input" else "unpriced")
            + f"; {rule.expected_hit_share} of hits expected in a batch ({rule.where})"
        )
    terms = shown.batch_terms
    if terms:
        window = f"within {terms.window}" if terms.window else "no window stated"
        lines.append(f"batch: {window}; {terms.cached_tokens or ''} ({terms.where})")
        limits = [
            f"{limit:,} {unit}"
            for limit, unit in ((terms.max_requests, "requests"), (terms.max_bytes, "bytes"))
            if limit is not None
        ]
        if limits:
            lines.append(f"batch limits: {', '.join(limits)}")
        if terms.max_queued_tokens:
            lines.append(f"batch queue: {terms.max_queued_tokens}")
        if terms.exceptions:
            lines.append(f"batch exceptions: {terms.exceptions}")
    lines += [
        f"fee: {fee.fee} {_money(fee.usd_per_unit)} USD per {fee.unit} ({fee.where})"
        for fee in shown.unit_fees
    ]
    return lines


def difference_lines(old: str, new: str, found: Difference) -> list[str]:
    """The changed rates by model, then a count of each kind."""
    lines = []
    for model, changes in found.models.items():
        lines.append(printable(model))
        lines += [f"  {_change_text(change)}" for change in changes]
        lines.append("")
    counts = ", ".join(
        f"{found.count(kind):,} {kind}" for kind in ("added", "closed", "changed", "gone")
    )
    lines.append(
        f"{printable(old)} -> {printable(new)}: {counts}; {found.unchanged:,} rates as before, "
        f"{found.verified_anew:,} of them verified anew"
    )
    return lines


def _change_text(change: Change) -> str:
    row, old, new = change.row, change.old, change.new
    slot = f"{row.tier} {row.token_kind}" + (f" {_band(row)}" if row.from_tokens else "")
    if old is None or new is None:
        what = f"{_worth(row)} {_days(row)}"
    elif change.kind == "closed":
        what = f"{_worth(row)} ends, first day without it {new.effective_to}"
    else:
        what = f"{_worth(old)} {_days(old)} -> {_worth(new)} {_days(new)}"
    return printable(f"{change.kind:<8} {slot}: {what} ({row.where}, {row.source})", 400)


def _worth(row: PriceRow) -> str:
    return row.rule if row.usd_per_mtok is None else _money(row.usd_per_mtok)


def _days(row: PriceRow) -> str:
    return f"from {row.effective_from}" + (f" to {row.effective_to}" if row.effective_to else "")


def _row_text(row: PriceRow) -> str:
    seen = "" if row.is_live else f", last looked at on {row.verified_on}"
    return (
        f"{row.tier} {row.token_kind} {_band(row)}: {_worth(row)} {_days(row)} "
        f"({row.where}, {row.source}{seen})"
    )


def _band(row: PriceRow) -> str:
    if row.band_min_tokens is None:
        return "any"
    return f"{row.band_operator} {row.band_min_tokens:,}"


def _money(amount: Decimal | None) -> str:
    """Exact, without zeros at the end."""
    if amount is None:
        return _DASH
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wrapped(text: str) -> str:
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    return textwrap.fill(
        printable(text, 2000), width, initial_indent="  ", subsequent_indent="    ",
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def _grid(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()
) -> list[str]:
    cells = [list(heads), *([printable(text, 80) for text in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    cells.insert(1, ["-" * width for width in widths])
    return [
        "  ".join(
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
