"""Seeds without end: `python -m tests.migrate.soak [FIRST [LAST]]`. Stops at the first that fails.

Each seed is a single run and a whole life (lives.py), of both vendors. A seed that failed is played
again alone with FIRST = LAST.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
from pathlib import Path

from llm_audit.migrate.model import Vendor
from tests.migrate import chaos
from tests.migrate.engine import drivers, scenario
from tests.migrate.fake.process import running_fake

OTHER = {"OPENAI_API_KEY": "sk-other-account", "ANTHROPIC_API_KEY": "sk-other-account"}


def main() -> None:
    """Play seed after seed with both vendors."""
    first = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    seeds = range(first, int(sys.argv[2]) + 1) if len(sys.argv) > 2 else itertools.count(first)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with running_fake(folder / "fake", scenario()) as fake:
            keys = {
                "other": drivers(fake.environment() | OTHER),
                "own": drivers(fake.environment()),
            }
            os.environ.update(fake.environment())
            for seed in seeds:
                for vendor in Vendor:
                    played = chaos.draw(seed, vendor, odd=seed % 2 == 1)
                    where = folder / f"{vendor}{seed}"
                    try:
                        chaos.survive(where, vendor, keys["own"], fake, played)
                    except BaseException:
                        print(f"seed {seed}, {vendor}: {json.dumps(played)}", file=sys.stderr)
                        raise
                    chaos.live(where.with_suffix(".life"), vendor, keys, fake, seed)
                if seed % 50 == 0:
                    print(f"seed {seed}: all is well", flush=True)


if __name__ == "__main__":
    main()
