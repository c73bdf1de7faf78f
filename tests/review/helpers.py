"""A small audit database on disk, with gray workloads, and the command line over it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_audit.workspace import DEFAULT_PATH, Workspace
from tests.rules.labelling import insert_many, list_run

DAY = 86_400.0


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def write_audit(folder: Path, calls: Iterable[Mapping[str, Any]]) -> None:
    """The database that the commands find in `folder`."""
    with Workspace(folder / DEFAULT_PATH).connect() as connection:
        # A call without a line would count as left over from a crashed ingest.
        placed = [{"source_file": "log", "source_line": n + 1, **c} for n, c in enumerate(calls)]
        insert_many(connection, placed)


def gray_run(first: int, caller: str, count: int = 200, **fields: Any) -> list[dict[str, Any]]:
    """A drained list with prompts of its own: only the owner's word on tolerance is missing.

    Each caller has days of its own, so that no run is seen in another's light.
    """
    return list_run(first, count, (first // 1000) * 3 * DAY, caller=caller, **fields)


def blind_run(first: int, caller: str, count: int = 200) -> list[dict[str, Any]]:
    """One call after the other without prompts in the log: a yes cannot settle independence."""
    calls = gray_run(first, caller, count, message_hashes=None, message_count=None)
    return [
        {
            **call,
            "started_at": calls[0]["started_at"]
            + 90 * number * (call["ended_at"] - call["started_at"]),
            "ended_at": calls[0]["started_at"]
            + (90 * number + 1) * (call["ended_at"] - call["started_at"]),
        }
        for number, call in enumerate(calls)
    ]


def asked(run: Run) -> dict[str, Any]:
    """The questions as JSON."""
    outcome = run("review", "--format", "json")
    assert outcome.code == 0, outcome.err
    document: dict[str, Any] = json.loads(outcome.out)
    return document


def question_of(run: Run, caller: str) -> dict[str, Any]:
    [question] = [q for q in asked(run)["questions"] if q["caller"] == caller]
    return dict(question)


def labels_of(run: Run) -> dict[str, set[str]]:
    """Labels by caller, as the report has them."""
    outcome = run("report", "--format", "json")
    assert outcome.code == 0, outcome.err
    labels: dict[str, set[str]] = {}
    for workload in json.loads(outcome.out)["workloads"]:
        labels.setdefault(workload["caller"], set()).add(workload["label"])
    return labels
