"""`prices update`: what another price file says, laid beside ours for a person to judge.

    found = importers.read(format, file_or_None, catalogue.read())
    update = compare(found, catalogue.read(), on=date.today())
    for line in lines(update): print(line)          # safe for a terminal
    write(update, Path("candidates.csv"))           # never inside pricing/

`compare` looks at the rates that both sides hold in force on one day, at the sellers that the price
card carries, and sorts them into

- new: we have no row for it;
- changed: it differs, and the file says that it began after our row did;
- contradicted: it differs and nothing says who is newer, so one of the two is wrong;
- gone: our row has a rate, its seller is in the file, but the file does not hold it;
- same: counted only.

`write` puts new, changed and contradicted into a CSV file with exactly the columns of
`pricing/rates/*.csv`, so that a line can be pasted there once somebody has looked at the vendor's
page; the verdict, our row and the place in the file stand in `note`.

Errors: `InputError` when most rates are off by the same order of magnitude (the file is in another
unit than its format's) and when `write` is aimed at the price data itself.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median

from llm_audit.errors import InputError
from llm_audit.prices import catalogue as catalogue_module
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers.csv_file import COLUMNS
from llm_audit.prices.importers.csv_file import SOURCE as CSV_SOURCE
from llm_audit.prices.importers.records import ANY_REGION, Candidate, Import, Skipped
from llm_audit.prices.records import Modifier, PriceRow
from llm_audit.prices.regions import Modifiers
from llm_audit.text import printable

VERDICTS = ("changed", "contradicted", "new")

_UNIT_SLIP = Decimal(4)
"""The median of theirs / ours is 1 between honest files; 100 or 10,000 in a wrong unit."""
_UNIT_EVIDENCE = 5


@dataclass(frozen=True)
class Finding:
    """One rate of theirs that is not ours. `ours` is None when it is new.

    `expected` is our rate for the candidate's region, USD per million tokens; None where we have
    none, with a row that says so (none_published, not_offered) or without one.
    """

    verdict: str
    theirs: Candidate
    ours: PriceRow | None
    expected: Decimal | None = None


@dataclass(frozen=True)
class Update:
    """The result of one comparison.

    `findings` are sorted by verdict and place, `gone` are rows of ours, `same` is a count,
    `left_out` are entries that were not compared, with reasons; `retired` are the model keys that
    have left their seller by then.
    """

    found: Import
    on: date
    findings: tuple[Finding, ...]
    gone: tuple[PriceRow, ...]
    same: int
    left_out: tuple[Skipped, ...]
    retired: frozenset[str]

    def of(self, verdict: str) -> list[Finding]:
        """The findings under one of `VERDICTS`."""
        return [finding for finding in self.findings if finding.verdict == verdict]


_Model = tuple[str, str, str, str | None]
_Rate = tuple[str, str, int | None]


class _Card:
    """Our rows in force on one day."""

    def __init__(self, data: Catalogue, on: date) -> None:
        self.models: dict[_Model, dict[_Rate, PriceRow]] = defaultdict(dict)
        self.sold = {(row.provider, row.surface) for row in data.prices}
        self._ever = {_model(row)[:3] for row in data.prices}
        regions = [one for one in data.modifiers if _holds(one, on)]
        self._factors = Modifiers(regions)
        self._regions = {
            (line.provider, line.surface, model, region)
            for line in regions
            for model in line.models.split()
            for region in line.regions.split()
        }
        for row in data.prices:
            if row.is_live and row.region_scope == ANY_REGION and _holds(row, on):
                self.models[_model(row)][_rate(row)] = row

    def rows(self, one: Candidate) -> dict[_Rate, PriceRow] | None:
        """The rows that price the candidate's model: its snapshot's, else the model's base rows."""
        base = (one.provider, one.surface, one.model, None)
        return self.models.get(_model(one)) or self.models.get(base)

    def ended(self, one: Candidate) -> bool:
        """Whether we have rows for this model, but none in force on the day."""
        return self.rows(one) is None and _model(one)[:3] in self._ever

    def covers_region(self, one: Candidate) -> bool:
        """Whether we say anything about what the candidate's model costs in its region."""
        place = (one.provider, one.surface, one.model, one.region_scope)
        return one.region_scope == ANY_REGION or place in self._regions

    def expected(self, row: PriceRow, region: str) -> Decimal | None:
        """Our rate in a region."""
        factor = self._factors.factor(row.provider, row.surface, row.model, region)
        return None if row.usd_per_mtok is None else row.usd_per_mtok * factor


def compare(found: Import, data: Catalogue, on: date) -> Update:
    """Lay a file beside our rows of day `on`. Errors: see the module."""
    card = _Card(data, on)
    left_out = list(found.skipped)
    findings: dict[tuple[object, ...], Finding] = {}
    met: set[int] = set()
    pairs: list[tuple[Decimal, Decimal]] = []
    same = 0
    for one in found.candidates:
        reason = _not_comparable(one, card, on)
        if reason:
            left_out.append(Skipped(one.key, reason))
            continue
        ours = (card.rows(one) or {}).get(_rate(one))
        expected = card.expected(ours, one.region_scope) if ours else None
        if ours:
            met.add(id(ours))
        if expected is not None:
            pairs.append((one.usd_per_mtok, expected))
        if expected == one.usd_per_mtok:
            same += 1
            continue
        finding = Finding(_verdict(one, ours), one, ours, expected)
        findings.setdefault(_identity(finding), finding)
    _check_unit(found, pairs)
    return Update(
        found=found,
        on=on,
        findings=tuple(sorted(findings.values(), key=_place)),
        gone=tuple(_gone(found, card, met)),
        same=same,
        left_out=tuple(left_out),
        retired=frozenset(end.model_key for end in data.lifecycle if end.retired_on <= on),
    )


def _not_comparable(one: Candidate, card: _Card, on: date) -> str:
    if (one.provider, one.surface) not in card.sold:
        return "seller not on the price card"
    if not one.in_force(on):
        later = one.effective_from is not None and one.effective_from > on
        return "begins on a later day" if later else "history: replaced by then"
    if card.ended(one):
        return "model whose rows of ours have ended or not begun"
    if not card.covers_region(one):
        return "rate of a region that modifiers.csv does not name"
    return ""


def _verdict(one: Candidate, ours: PriceRow | None) -> str:
    if ours is None:
        return "new"
    newer = one.effective_from is not None and one.effective_from > ours.effective_from
    return "changed" if newer and one.from_basis == "change" else "contradicted"


def _identity(finding: Finding) -> tuple[object, ...]:
    """What makes two findings one: a file names a model by its dated and by its floating name."""
    one = finding.theirs
    about = finding.ours.where if finding.ours else (_model(one)[:3], _rate(one))
    return about, one.region_scope, one.usd_per_mtok, one.effective_from


def _check_unit(found: Import, pairs: list[tuple[Decimal, Decimal]]) -> None:
    if len(pairs) < _UNIT_EVIDENCE:
        return
    middle = median(theirs / ours for theirs, ours in pairs)
    if not 1 / _UNIT_SLIP < middle < _UNIT_SLIP:
        raise InputError(
            f"the rates in {printable(found.label)} are about {middle:.4g} times ours",
            slug="price-file-unit",
            hint="is --format right? litellm counts USD per token, Portkey cents per token, "
            "genai-prices and csv USD per million tokens",
        )


def _gone(found: Import, card: _Card, met: set[int]) -> Iterator[PriceRow]:
    covered = {(one.provider, one.surface) for one in found.candidates}
    for (provider, surface, _, _), rows in card.models.items():
        if (provider, surface) in covered:
            yield from (
                row for row in rows.values() if row.usd_per_mtok is not None and id(row) not in met
            )


def _holds(row: PriceRow | Modifier, on: date) -> bool:
    return (row.effective_from or date.min) <= on < (row.effective_to or date.max)


def _model(row: PriceRow | Candidate) -> _Model:
    return row.provider, row.surface, row.model, row.snapshot


def _rate(row: PriceRow | Candidate) -> _Rate:
    """The rate that a row is about.

    Files put the edge of a band one token apart (199,999 or 200,000, > or >=): the same band.
    """
    band = row.band_min_tokens
    return row.tier, row.token_kind, None if band is None else round(band, -3)


def _place(finding: Finding) -> tuple[object, ...]:
    one = finding.theirs
    model = (one.provider, one.surface, one.model, one.snapshot or "")
    rate = (one.tier, one.band_min_tokens or 0, one.token_kind)
    return VERDICTS.index(finding.verdict), model, rate, one.key


# What a person reads


def lines(update: Update) -> Iterator[str]:
    """The comparison as lines of text, fit for a terminal."""
    found = update.found
    counts = ", ".join(f"{verdict} {len(update.of(verdict))}" for verdict in VERDICTS)
    yield f"{printable(found.label)} (sha256 {found.digest[:16]}) beside ours on {update.on}:"
    yield (
        f"same {update.same}, {counts}, gone {len(update.gone)}; "
        f"{len(update.left_out)} entries not compared"
    )
    yield from _section(update, "changed", "close our row on that day and add theirs")
    yield from _section(update, "contradicted", "one of the two is wrong: see the vendor's page")
    yield from _grouped("new (no row of ours)", [(one.theirs, "") for one in update.of("new")])
    retired = update.retired
    yield from _grouped(
        "gone (ours, not in the file)",
        [(row, " (retired)" if row.model_key in retired else "") for row in update.gone],
    )
    yield from _left_out(update.left_out)


def _section(update: Update, verdict: str, advice: str) -> Iterator[str]:
    findings = update.of(verdict)
    if findings:
        yield ""
        yield f"{verdict} ({advice})"
    for finding in findings:
        one = finding.theirs
        since = f" from {one.effective_from}" if one.effective_from else ""
        yield f"  {_name(one)} {_slot(one)}: theirs {one.usd_per_mtok}{since}, {_ours(finding)}"
        yield f"    {printable(_provenance(one))}"


def _ours(finding: Finding) -> str:
    row, rate = finding.ours, finding.expected
    if row is None:
        return "no row of ours"
    known = row.rule.replace("_", " ") if rate is None else f"{rate.normalize():f}"
    return printable(f"ours {known} ({row.where}, {row.source}, verified {row.verified_on})")


def _provenance(one: Candidate) -> str:
    return f"{one.source}: {one.key}" + (f" [{one.doubt}]" if one.doubt else "")


def _grouped(title: str, rows: list[tuple[PriceRow | Candidate, str]]) -> Iterator[str]:
    """One line a model: these lists are long where a file covers more, or less, than we do."""
    models: dict[str, list[str]] = defaultdict(list)
    for row, remark in rows:
        models[_name(row) + remark].append(f"{_slot(row)} {row.usd_per_mtok}")
    if models:
        yield ""
        yield title
    for name, rates in models.items():
        yield f"  {name}: {', '.join(rates)}"


def _left_out(entries: Iterable[Skipped]) -> Iterator[str]:
    entries = list(entries)
    if entries:
        yield ""
        yield "not compared"
    for reason, count in Counter(entry.reason for entry in entries).most_common():
        example = next(entry.key for entry in entries if entry.reason == reason)
        yield f"  {count} {reason} (such as {printable(example, 80)})"


def _name(row: PriceRow | Candidate) -> str:
    snapshot = f"@{row.snapshot}" if row.snapshot else ""
    region = "" if row.region_scope == ANY_REGION else f" in {row.region_scope}"
    return printable(f"{row.provider} {row.surface} {row.model}{snapshot}{region}")


def _slot(row: PriceRow | Candidate) -> str:
    band = "" if row.band_min_tokens is None else f"{row.band_operator}{row.band_min_tokens}"
    return f"{row.tier} {row.token_kind}{band}"


# What a person pastes


def write(update: Update, out: Path) -> int:
    """Write the candidates to a CSV file; returns how many lines. Errors: see the module."""
    home = catalogue_module.folder().resolve()
    if out.resolve().is_relative_to(home):
        raise InputError(
            f"{out.name} would lie inside the price data",
            slug="price-file-place",
            hint="write the candidates elsewhere, look at them, then paste what is right",
        )
    rows = [_row(update, finding) for finding in update.findings]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        out.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            f"cannot write {out.name}: {error.strerror}",
            slug="price-file-unwritable",
            hint="name a file in a folder that exists and that you may write to",
        ) from None
    return len(rows)


def _row(update: Update, finding: Finding) -> dict[str, object]:
    one = finding.theirs
    label = "" if update.found.source == CSV_SOURCE else f" of {update.found.label}"
    note = (
        f"{finding.verdict}: {_ours(finding)}; {_provenance(one)}{label} sha256 {one.digest[:16]}"
    )
    return {
        "provider": one.provider,
        "surface": one.surface,
        "model": one.model,
        "snapshot": one.snapshot,
        "tier": one.tier,
        "region_scope": one.region_scope,
        "band_min_tokens": one.band_min_tokens,
        "band_operator": one.band_operator,
        "token_kind": one.token_kind,
        "usd_per_mtok": f"{one.usd_per_mtok:f}",
        "effective_from": one.effective_from or update.on,
        "effective_to": one.effective_to,
        "from_basis": one.from_basis or "first_seen",
        "rule": "published",
        "source": one.source,
        "retrieved_on": update.on,
        "verified_on": update.on,
        "note": printable(note, 1000),
    }
