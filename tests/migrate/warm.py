"""Runs scripts as `python SCRIPT ARGUMENTS` does, in forks of a process that knows both SDKs.

To import an SDK takes a second or two, and the tests of the switch scripts start two hundred of
them. `python -m tests.migrate.warm` reads one JSON order a line from standard input.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import ROOT

SECONDS = 60
"""After which a script is ended."""


def play(order: Mapping[str, Any]) -> int:
    """Run the script as this process, which then has its exit status."""
    signal.alarm(SECONDS)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, handle in enumerate((os.open(os.devnull, os.O_RDONLY), said, said)):
        os.dup2(handle, number)
    sys.argv = [order["script"], *order["arguments"]]
    sys.path[0] = order["folder"]
    try:
        runpy.run_path(order["script"], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def know_the_sdks() -> None:
    """Import them, and the parts of them that they import only when asked."""
    import anthropic
    import openai

    for client in (
        openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9"),
        anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1:9"),
    ):
        for part in ("files", "batches", "messages", "chat", "responses", "embeddings"):
            getattr(client, part, None)
        client.close()


def main() -> None:
    """One fork an order; answers with its exit status (negative: the signal)."""
    know_the_sdks()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            status = play(order)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


@dataclass(frozen=True)
class Warm:
    """The process that forks."""

    process: subprocess.Popen[str]

    def run(
        self, folder: Path, environment: Mapping[str, str], script: str, arguments: Sequence[str]
    ) -> tuple[int, str]:
        """Exit status, and what it said on either stream."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        said = folder.with_name(f"{folder.name}-said")
        order = {
            "folder": str(folder),
            "environment": dict(environment),
            "script": script,
            "arguments": list(arguments),
            "said": str(said),
        }
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return status, said.read_text(encoding="utf-8")


@contextmanager
def running_warm() -> Iterator[Warm]:
    """A process of its own, as this one may have threads."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.migrate.warm"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Warm(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    main()
