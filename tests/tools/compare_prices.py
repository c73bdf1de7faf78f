"""Our prices beside those of genai-prices and litellm, every difference with our reason for it.

    pip install ".[bench]"                       # or any folder that holds the two packages
    python -m tests.tools.compare_prices [--site FOLDER] [--on YYYY-MM-DD] [--all]

Run by hand after a change of `pricing/` or a new release of either package; it is no test, since
their data is not ours to hold still. For every model that a package also knows it compares each
(tier, token kind, prompt-size band) and prints the differences: first those explained by a line of
`pricing/disagreements.csv`, then those that nobody has explained, and lines that explain nothing
any more. Exit code 1 if there are unexplained ones, else 0. `--all` prints each explained
difference instead of one line a reason.

A line of disagreements.csv says: `source_name` (genai-prices, litellm), `provider`, `surface`,
`model` (`name@snapshot`, `+region` behind it for a regional rate), `tier`, `token_kind` (a band
behind it: `input>272000`), `theirs` and `ours` (USD per million tokens), `reason`. `-` is no rate.
Model, tier and token_kind may list several with spaces between them and hold shell wildcards. In
`theirs` and `ours` a number means just that number, `*` any number, `-` none, and `x1.1` (or
`x12/11`) a number that many times the other side's, up to rounding to three decimals; so a line
for a class still carries its condition.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from importlib import util
from pathlib import Path

from llm_audit.prices import catalogue, importers, update
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers.records import ANY_REGION, Candidate
from llm_audit.prices.records import PriceRow

FILES = {
    "genai-prices": Path("genai_prices/data.py"),
    "litellm": Path("litellm/model_prices_and_context_window_backup.json"),
}
NONE = "-"
_ROUNDED = Fraction(1, 2000)
"""Some rates are printed with three decimals."""


@dataclass(frozen=True)
class Difference:
    """One rate on which a source and we do not agree; None means no rate."""

    source_name: str
    provider: str
    surface: str
    model: str
    tier: str
    token_kind: str
    theirs: Decimal | None
    ours: Decimal | None
    where: str

    def __str__(self) -> str:
        return (
            f"{self.source_name} {self.provider} {self.surface} {self.model} {self.tier} "
            f"{self.token_kind}: theirs {_text(self.theirs)}, ours {_text(self.ours)} "
            f"({self.where})"
        )


@dataclass(frozen=True)
class Reason:
    """A line of disagreements.csv."""

    source_name: str
    provider: str
    surface: str
    model: str
    tier: str
    token_kind: str
    theirs: str
    ours: str
    reason: str

    def explains(self, one: Difference) -> bool:
        """Whether this line is about that difference."""
        return (
            (self.source_name, self.provider, self.surface)
            == (one.source_name, one.provider, one.surface)
            and any(fnmatchcase(one.model, model) for model in self.model.split())
            and any(fnmatchcase(one.tier, tier) for tier in self.tier.split())
            and any(fnmatchcase(one.token_kind, kind) for kind in self.token_kind.split())
            and _fits(self.theirs, one.theirs, one.ours)
            and _fits(self.ours, one.ours, one.theirs)
        )


def _fits(wanted: str, rate: Decimal | None, other: Decimal | None) -> bool:
    if rate is None or wanted == NONE:
        return rate is None and wanted == NONE
    if wanted.startswith("x"):
        if other is None:
            return False
        return abs(Fraction(rate) - Fraction(other) * Fraction(wanted[1:])) <= _ROUNDED
    return wanted == "*" or rate == Decimal(wanted)


def differences(name: str, file: Path, data: Catalogue, on: date) -> Iterator[Difference]:
    """Every difference between one package's data and ours, for models that both know."""
    found = update.compare(importers.read(name, file, data), data, on)
    theirs = {_model(one) for one in found.found.candidates if one.in_force(on)}
    ours = {(row.provider, row.surface, row.model) for row in data.prices}
    for finding in found.findings:
        one = finding.theirs
        if (one.provider, one.surface, one.model) in ours:
            where = finding.ours.where if finding.ours else one.key
            yield Difference(
                name, one.provider, one.surface, _named(one), one.tier, _kind(one),
                one.usd_per_mtok, finding.expected, where,
            )  # fmt: skip
    for row in found.gone:
        if _model(row) in theirs:
            yield Difference(
                name, row.provider, row.surface, _named(row), row.tier, _kind(row),
                None, row.usd_per_mtok, row.where,
            )  # fmt: skip


def _model(row: PriceRow | Candidate) -> tuple[str, str, str]:
    return row.provider, row.surface, row.model + (f"@{row.snapshot}" if row.snapshot else "")


def _named(row: PriceRow | Candidate) -> str:
    return _model(row)[2] + ("" if row.region_scope == ANY_REGION else f"+{row.region_scope}")


def _kind(row: PriceRow | Candidate) -> str:
    return row.token_kind + ("" if row.band_min_tokens is None else f">{row.band_min_tokens}")


def _text(rate: Decimal | None) -> str:
    return NONE if rate is None else f"{rate.normalize():f}"


def reasons(place: Path) -> list[Reason]:
    """The lines of disagreements.csv."""
    with place.open(encoding="utf-8", newline="") as lines:
        return [Reason(**line) for line in csv.DictReader(lines)]


def _site(folder: str | None, name: str) -> Path:
    if folder:
        return Path(folder) / FILES[name]
    spec = util.find_spec(FILES[name].parts[0])
    if spec is None or spec.origin is None:
        sys.exit(f"{name} is not installed: pip install '.[bench]', or give --site")
    return Path(spec.origin).parent.parent / FILES[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--site", help="a site-packages folder that holds both packages")
    parser.add_argument("--on", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--all", action="store_true", help="print every explained difference")
    options = parser.parse_args()
    data = catalogue.read()
    known = reasons(catalogue.folder() / "disagreements.csv")
    explained: dict[Reason, list[Difference]] = defaultdict(list)
    unexplained = []
    for name in FILES:
        for one in differences(name, _site(options.site, name), data, options.on):
            reason = next((reason for reason in known if reason.explains(one)), None)
            if reason:
                explained[reason].append(one)
            else:
                unexplained.append(one)
    for reason, ones in explained.items():
        print(f"{len(ones):5} {reason.source_name}: {reason.reason}")
        for one in ones if options.all else ones[:1]:
            print(
                f"        such as {one}" if len(ones) > 1 and not options.all else f"        {one}"
            )
    for reason in set(known) - set(explained):
        print(f"  idle line: {','.join(vars(reason).values())}")
    print(f"\n{sum(map(len, explained.values()))} explained, {len(unexplained)} unexplained")
    for one in unexplained:
        print(f"  {one}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
