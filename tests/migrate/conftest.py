"""One fake and one set of SDK clients for the tests of a module."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate.engine import drivers, scenario
from tests.migrate.fake.process import FakeProcess, running_fake


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder in memory, where there is room: thousands of commits need not wait for a disk.

    To SIGKILL it is all the same: what was written is there afterwards.
    """
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def vendors() -> Iterator[FakeProcess]:
    """The fake, its clock standing at the tests' start; `play` begins anew."""
    with (
        tempfile.TemporaryDirectory(dir=_memory()) as folder,
        running_fake(Path(folder), scenario()) as fake,
    ):
        yield fake


def _memory() -> Path | None:
    """Linux has it; containers may have too little of it."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > 1 << 29
    return memory if has_room else None


@pytest.fixture(scope="module")
def made(vendors: FakeProcess) -> Iterator[Mapping[Vendor, Driver]]:
    """The real SDKs, talking to the fake."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in vendors.environment().items():
            patch.setenv(name, value)
        clients = drivers({})
        yield clients
        for client in clients.values():
            client.close()


@pytest.fixture(scope="module")
def keys(
    vendors: FakeProcess, made: Mapping[Vendor, Driver]
) -> Iterator[Mapping[str, Mapping[Vendor, Driver]]]:
    """Those, and the same with the keys of another account."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            patch.setenv(name, "sk-other-account")
        others = drivers({})
    yield {"own": made, "other": others}
    for client in others.values():
        client.close()
