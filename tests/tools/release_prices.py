"""Close a release of the price data: pack its rates, and add its digest to pricing/releases.csv.

    python tests/tools/release_prices.py 2026.12.01 --note "what changed"

Refuses data with errors, a version that exists, and a digest that is released already. Run it when
everything else in pricing/ is done: any later change makes the version read `+edited`.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from llm_audit.errors import LlmAuditError, PricingError
from llm_audit.prices import archive, catalogue, checks


def release(place: Path, version: str, day: date, note: str) -> Path:
    """Write archive and digest; returns the archive. Errors: `PricingError`."""
    if not re.fullmatch(r"\d{4}\.\d\d\.\d\d(\.\d+)?", version):
        raise PricingError(
            f"{version!r} is no version", slug="release", hint="it is a day such as 2026.12.01"
        )
    data = catalogue.read(place)
    checks.check(data)
    for known in data.releases:
        if version == known.version or data.sha256 == known.sha256:
            raise PricingError(
                f"release {known.version} has this version or these very files",
                slug="release",
                hint="a release is never changed: take a new version for new data",
            )
    packed = archive.write(place, version)
    with (place / "releases.csv").open("a", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerow([version, data.sha256, day, note])
    return packed


def main(arguments: list[str]) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("version")
    parser.add_argument("--note", default="")
    parser.add_argument("--place", type=Path, default=None, help="another copy of pricing/")
    options = parser.parse_args(arguments)
    place = options.place or catalogue.folder()
    try:
        packed = release(place, options.version, datetime.now(UTC).date(), options.note)
    except LlmAuditError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return int(error.exit_code)
    print(f"wrote {packed.name}; the digest is the last line of releases.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
