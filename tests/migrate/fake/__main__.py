"""`python -m tests.migrate.fake --state DIR [--port 0] [--scenario FILE]`: prints its port."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from tests.migrate.fake.server import FakeServer
from tests.migrate.fake.store import Store


def main() -> None:
    """Serve until SIGTERM, SIGINT or, if so wished, the end of standard input."""
    parser = argparse.ArgumentParser(description="A scripted fake of both vendors' batch APIs.")
    parser.add_argument("--state", type=Path, required=True, help="folder of state.sqlite")
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--scenario", type=Path, help="JSON, for a state that has none yet")
    parser.add_argument("--until-eof", action="store_true", help="stop when stdin closes")
    options = parser.parse_args()
    store = Store(options.state)
    if options.scenario and store.meta("scenario", None) is None:
        with store.transaction():
            store.play(json.loads(options.scenario.read_text(encoding="utf-8")))
    server = FakeServer(store, options.port)

    def stop(*_: object) -> None:
        server.fake.stopping.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    def wait_for_eof() -> None:
        sys.stdin.read()
        stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.until_eof:
        threading.Thread(target=wait_for_eof, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
