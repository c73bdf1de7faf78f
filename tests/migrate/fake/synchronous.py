"""The ordinary endpoints: one request, one answer, at full price. Only the journal remembers it."""

from __future__ import annotations

from collections.abc import Callable

from tests.migrate.fake import anthropic_answers, bodies, openai_answers
from tests.migrate.fake.anthropic_rules import objection as anthropic_objection
from tests.migrate.fake.openai_rules import objection as openai_objection
from tests.migrate.fake.scenario import BatchPlan
from tests.migrate.fake.store import Store, StoredRow
from tests.migrate.fake.wire import Call, Reply, error, json_body, ok


def openai(endpoint: str) -> Callable[[Store, Call], Reply]:
    """A chat completion, a response or embeddings."""

    def operation(store: Store, call: Call) -> Reply:
        objection = openai_objection(json_body(call), endpoint, store.scenario.openai)
        if objection:
            return error("openai", 400, objection[1])
        return ok(openai_answers.answer(_row(call), endpoint, BatchPlan()))

    return operation


def anthropic(store: Store, call: Call) -> Reply:
    """A message."""
    version = call.headers["anthropic-version"]
    objection = anthropic_objection(json_body(call), store.scenario.anthropic, version)
    if objection:
        return error("anthropic", 400, objection[1])
    reply = anthropic_answers.message(_row(call), BatchPlan())
    reply["usage"]["service_tier"] = "standard"
    return ok(reply)


def _row(call: Call) -> StoredRow:
    body = json_body(call)
    text, digest = bodies.canonical(body), bodies.body_digest(body)
    return StoredRow(1, "", text, digest, bodies.marker(text, digest), "ok", None, 1)
