"""A client that dies at a chosen point: SIGKILL before or behind any commit, call or rename.

    python -m tests.migrate.killing    reads one JSON order a line from standard input

Each order is carried out by a fork of this process, which has everything imported, so that one
takes tenths of a second. Points are counted, not drawn: with "at" from 1 up to the number that a
run without a death reports, each of them is met once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_audit.migrate import run
from llm_audit.migrate.context import Policy
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate.engine import drivers, opened
from tests.migrate.fake.process import FakeProcess
from tests.migrate.points import Points
from tests.support import ROOT


def end() -> None:
    """SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


def carry_out(order: Mapping[str, Any], made: Mapping[Vendor, Driver]) -> None:
    """Migrate, and die where it is ordered; else tell how many points there were."""
    points = Points({order["at"]: end} if order["at"] else {})
    fake = FakeProcess(Path(order["state"]))
    fake.port = order["port"]
    policy = Policy(**order["policy"])
    folder = Path(order["folder"])
    with points.watched(), opened(folder, made, fake, policy, fake.control()) as context:
        if order["does"] == "cancel":
            run.cancel(context, ["run1"])
        else:
            run.reopen(context)
            run.drive(context)
    Path(order["report"]).write_text(str(points.passed), encoding="utf-8")


def warm(order: Mapping[str, Any]) -> dict[Vendor, Driver]:
    """Clients that have imported what they need, and have no connection yet."""
    fake = FakeProcess(Path(order["state"]))
    fake.port = order["port"]
    made = drivers(fake.environment())
    for vendor, driver in made.items():
        client = driver._client  # type: ignore[attr-defined]
        parts = (client.files, client.batches) if vendor is Vendor.OPENAI else (client.messages,)
        for part in parts:
            assert part.with_raw_response
            assert part.with_streaming_response
        driver.retrieve("batch_none")
        driver.close()
    return drivers(fake.environment())


def main() -> None:
    """One fork an order; answers with its exit status (negative: the signal)."""
    made: dict[Vendor, Driver] = {}
    for line in sys.stdin:
        order = json.loads(line)
        made = made or warm(order)
        child = os.fork()
        if child == 0:
            try:
                carry_out(order, made)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


@dataclass
class Killer:
    """The process that forks clients."""

    process: subprocess.Popen[str]

    def run(
        self,
        folder: Path,
        fake: FakeProcess,
        at: int | None,
        does: str = "resume",
        policy: Policy | None = None,
    ) -> int | None:
        """Migrate until the nth point; None if it died there, else how many points there are.

        does: resume, or cancel (run1).
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        report = folder / "points"
        order = {
            "at": at,
            "folder": str(folder),
            "state": str(fake.state),
            "port": fake.port,
            "report": str(report),
            "does": does,
            "policy": vars(policy or Policy(resend_unknown=True)),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        if status == -signal.SIGKILL:
            return None
        assert status == 0, "the client failed of itself"
        return int(report.read_text(encoding="utf-8"))


@contextmanager
def running_killer() -> Iterator[Killer]:
    """A process of its own, as this one may have threads."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.migrate.killing"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    main()
