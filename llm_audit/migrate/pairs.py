"""The logged answers beside those that were bought: both read again from their files, never stored.

A logged answer counts only if its log is the one that was ingested and its record holds the request
that was sent (digests of both). A bought one is read where the ledger says its line lies.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from llm_audit.migrate import answers, bodies, replay
from llm_audit.migrate.bodies import LogFile, SourceError
from llm_audit.migrate.ledger import Outcome
from llm_audit.migrate.tally import Pair, Tally


@dataclass(frozen=True, slots=True)
class Claim:
    """What the audit says of a call: `sql/claims.sql`. Costs: USD in a batch without cache hits."""

    source_file: str
    size: int | None
    digest: str | None
    versions: int
    source_line: int
    call_id: str
    source_format: str
    response_model: str | None
    read_tokens: int
    write_5m_tokens: int
    write_1h_tokens: int
    fresh_tokens: int
    output_tokens: int
    read_cost: Decimal
    write_5m_cost: Decimal
    write_1h_cost: Decimal
    fresh_cost: Decimal
    output_cost: Decimal

    @property
    def log(self) -> LogFile:
        """The log that its answer stands in."""
        return LogFile(self.source_file, self.size, self.digest, self.versions)


GONE = "no_row"
"""The reason of an answer whose result was deleted."""

REASONS: Mapping[str, str] = {
    "call_gone": "the call is not in the database any more",
    "no_logged_answer": "the log does not hold the answer",
    GONE: "the line of the results cannot be read any more",
}
"""Why a pair is not compared, besides those of `replay.toml`."""


def detail(reason: str) -> str:
    """The sentence for a person."""
    return REASONS.get(reason) or replay.rules().reasons[reason]


def count(outcomes: Sequence[Outcome], claims: Mapping[str, Claim], tally: Tally) -> Counter[str]:
    """Count the pairs of all answered requests; how many could not be compared, by reason."""
    unread: Counter[str] = Counter()
    known = [(claims[o.call_id], o) for o in outcomes if o.call_id in claims]
    if len(known) < len(outcomes):
        unread["call_gone"] = len(outcomes) - len(known)
    known.sort(key=lambda pair: (pair[0].source_file, pair[0].source_line))
    for log, group in groupby(known, key=lambda pair: pair[0].log):
        of_file = list(group)
        part = Tally(tally.repeated, tally.wanted)
        try:
            missing = _count_file(log, of_file, part)
        except SourceError as error:
            unread[error.reason] += len(of_file)
        else:
            tally.merge(part)
            unread += missing
    return unread


def _count_file(log: LogFile, of_file: list[tuple[Claim, Outcome]], tally: Tally) -> Counter[str]:
    waiting: dict[int, list[tuple[Claim, Outcome]]] = {}
    for claim, outcome in of_file:
        waiting.setdefault(claim.source_line, []).append((claim, outcome))
    unread: Counter[str] = Counter()
    found = 0
    for number, record in bodies.records(log, sorted(waiting)):
        for claim, outcome in waiting[number]:
            pair = _pair(record, claim, outcome)
            found += 1
            if isinstance(pair, Pair):
                tally.add(pair)
            else:
                unread[pair] += 1
    if found < len(of_file):
        unread["not_found"] += len(of_file) - found
    return unread


def _pair(record: bytes, claim: Claim, outcome: Outcome) -> Pair | str:
    """The two answers, or the reason why they are not compared."""
    body = replay.body(record, claim.source_format, outcome.endpoint)
    if isinstance(body, replay.Refusal) or body.sha256 != outcome.body_sha256:
        return "source_changed"
    logged = answers.logged(record, outcome.endpoint)
    if logged is None:
        return "no_logged_answer"
    line = _line(outcome)
    batch = answers.bought(line, outcome.vendor, outcome.endpoint) if line else None
    return GONE if batch is None else Pair(outcome, json.loads(body.text), logged, batch)


def _line(outcome: Outcome) -> bytes | None:
    if outcome.raw_path is None or outcome.raw_offset is None:
        return None
    try:
        with Path(outcome.raw_path).open("rb") as file:
            file.seek(outcome.raw_offset)
            return file.readline()
    except OSError:
        return None
