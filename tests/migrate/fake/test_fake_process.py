"""The fake as a process: what it keeps, how it stops, what it refuses to play."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

from tests.migrate.fake.conftest import request
from tests.migrate.fake.journal import Journal, fingerprint
from tests.migrate.fake.process import FAKE_OPENAI_KEY, FakeProcess, running_fake
from tests.migrate.fake.scenario import Fault, Json, Scenario, ScenarioError, is_nth
from tests.migrate.fake.test_fake_openai import client, create, poll, read
from tests.support import ROOT


def test_what_was_committed_survives_the_fakes_own_death(tmp_path: Path) -> None:
    scenario: Json = {"faults": [{"op": "openai.batches.retrieve", "nth": 2, "reply": 500}]}
    with running_fake(tmp_path, scenario) as fake:
        batch = poll(fake, create(fake, request(1)), 1)
        port = fake.port
        fake.kill()
        assert fake.journal.bought() == {"q1": 1}
        fake.start()
        assert fake.port == port
        with pytest.raises(openai.InternalServerError):
            poll(fake, batch, 1)
        assert len(read(fake, poll(fake, batch, 1).output_file_id)) == 1
        heard = fake.journal.requests("openai.batches.*")
    assert [(each.nth, each.status) for each in heard] == [(1, 200), (1, 200), (2, 500), (3, 200)]
    assert {each.account for each in heard} == {fingerprint(FAKE_OPENAI_KEY)}


def test_a_stopped_fake_does_not_wait_for_its_slow_replies(tmp_path: Path) -> None:
    with running_fake(tmp_path, {"faults": [{"op": "*", "delay": 60}]}) as fake:
        with client(fake) as sdk, pytest.raises(openai.APITimeoutError):
            sdk.with_options(timeout=0.2).batches.list()
        began = time.monotonic()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "scenario",
    [
        {"fault": []},
        {"faults": [{"op": "*", "replies": 500}]},
        {"faults": [{"op": "*", "reply": "explode"}]},
        {"faults": [{"op": "*", "reply": "cut"}]},
        {"faults": [{"op": "*", "nth": "x"}]},
        {"batches": [{"polls": ["done"]}]},
        {"rows": [{"outcome": "fine"}]},
        {"openai": {"request": 1}},
    ],
)
def test_a_scenario_with_a_slip_is_refused(fake: FakeProcess, scenario: Json) -> None:
    with pytest.raises(ScenarioError):
        Scenario.read(scenario)
    with pytest.raises(ValueError, match=r"\w"):
        fake.control(scenario=scenario)


def test_ordinals() -> None:
    for wanted, meant in ((2, [2]), ([1, 3], [1, 3]), ("2-3", [2, 3]), ("3-", [3, 4])):
        assert [n for n in range(1, 5) if is_nth(wanted, n)] == meant
    assert Fault("openai.*").strikes("openai.batches.list", 9, 9, None)


def test_a_client_that_dies_while_it_speaks_was_not_heard(fake: FakeProcess) -> None:
    head = b"POST /v1/batches HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n"
    with socket.create_connection(("127.0.0.1", fake.port)) as connection:
        connection.sendall(head + b'{"input_')
    create(fake, request(1))
    heard = [each.op for each in fake.journal.requests()]
    assert heard == ["openai.files.create", "openai.batches.create"]


def test_it_runs_by_hand_and_ends_with_who_started_it(tmp_path: Path) -> None:
    """A scenario from a file is for a state that has none: a restart goes on where it was."""
    script = tmp_path / "scenario.json"
    script.write_text(json.dumps({"faults": [{"op": "*", "nth": 1, "reply": 500}]}))
    command = [sys.executable, "-m", "tests.migrate.fake", "--state", str(tmp_path / "state")]
    command += ["--port", "0", "--scenario", str(script), "--until-eof"]
    seen = []
    for _ in range(2):
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
            with openai.OpenAI(base_url=url, api_key="sk-x", max_retries=0) as sdk:
                try:
                    sdk.batches.list()
                    seen.append(200)
                except openai.InternalServerError as error:
                    seen.append(error.status_code)
            process.stdin.close()
            assert process.wait(timeout=10) == 0
    assert seen == [500, 200]
    assert [each.nth for each in Journal(tmp_path / "state").requests()] == [1, 2]


def test_only_loopback_is_listened_to(fake: FakeProcess) -> None:
    with pytest.raises(OSError, match=r"refused|unreachable"):
        socket.create_connection(("127.0.0.2", fake.port), timeout=1)
