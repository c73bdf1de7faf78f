"""Layer 1: is the answer of a batch built as the logged one was? No text is compared here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llm_audit.migrate.answers import Answer, parsed
from llm_audit.migrate.json_schema import fits

Json = Mapping[str, Any]

FINISH_CLASSES: Mapping[str, str] = {
    "stop": "finished",
    "end_turn": "finished",
    "stop_sequence": "finished",
    "completed": "finished",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "length": "cut",
    "max_tokens": "cut",
    "max_output_tokens": "cut",
    "model_context_window_exceeded": "cut",
    "content_filter": "refused",
    "refusal": "refused",
    "pause_turn": "paused",
}
"""Both vendors' words for why an answer ended."""

_WHOLE = frozenset({"finished", "tool_call"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one pair: whether each answer passes it, and whether the two are alike in it."""

    name: str
    logged: bool
    batch: bool
    same: bool


def finish(logged: str | None, batch: str | None) -> Finding | None:
    """Why they ended; embeddings have no reason."""
    if logged is None or batch is None:
        return None
    one, other = (FINISH_CLASSES.get(reason, reason) for reason in (logged, batch))
    return Finding("finish", one in _WHOLE, other in _WHOLE, one == other)


def findings(request: Json, logged: Answer, batch: Answer) -> Iterator[Finding]:
    """All other checks that this request gives rise to."""
    pair = (logged, batch)
    yield _alike("not_refused", *(not answer.refused for answer in pair))
    yield _alike("non_empty", *(_is_full(answer) for answer in pair))
    if logged.vectors or batch.vectors:
        same = logged.vectors == batch.vectors
        yield Finding("vectors", bool(logged.vectors), bool(batch.vectors), same)
    if logged.tools or batch.tools:
        names = [sorted(name for name, _ in answer.tools) for answer in pair]
        yield Finding("tool_names", bool(names[0]), bool(names[1]), names[0] == names[1])
        schemas = tool_schemas(request)
        yield _alike("tool_arguments", *(_arguments_fit(answer, schemas) for answer in pair))
    schema = answer_schema(request)
    if schema is not None and (logged.text or batch.text):
        one, other = (parsed(answer.text) for answer in pair)
        yield _alike("json_valid", _is_document(one), _is_document(other))
        same = _keys(one) == _keys(other)
        yield Finding("json_schema", _is_it(one, schema), _is_it(other, schema), same)


def _alike(name: str, logged: bool, batch: bool) -> Finding:
    return Finding(name, logged, batch, logged == batch)


def _is_full(answer: Answer) -> bool:
    return bool(answer.text.strip() or answer.tools or answer.vectors)


def _arguments_fit(answer: Answer, schemas: Mapping[str, Any]) -> bool:
    """Calls, of tools that were offered, with arguments as their schemas want them."""
    return bool(answer.tools) and all(
        name in schemas and (schemas[name] is None or fits(parsed(text), schemas[name]))
        for name, text in answer.tools
    )


def tool_schemas(request: Json) -> dict[str, Any]:
    """The schema of each tool's arguments, None where there is none."""
    found: dict[str, Any] = {}
    for tool in (*(request.get("tools") or ()), *(request.get("functions") or ())):
        inner = tool.get("function") or tool.get("custom") or tool
        schema = inner.get("parameters", inner.get("input_schema"))
        found[str(inner.get("name"))] = schema if isinstance(schema, dict) else None
    return found


def answer_schema(request: Json) -> Any:
    """The schema that the answer must fit; True for any JSON; None where a text is asked for."""
    output, text = request.get("output_config"), request.get("text")
    asked = (
        request.get("response_format")  # chat completions
        or (isinstance(text, dict) and text.get("format"))  # responses
        or request.get("output_format")  # messages, older betas
        or (isinstance(output, dict) and output.get("format"))  # messages
    )
    if not isinstance(asked, dict) or not str(asked.get("type")).startswith("json"):
        return None
    schema = asked.get("schema") or (asked.get("json_schema") or {}).get("schema")
    return schema if isinstance(schema, dict) else True


def _is_document(value: Any) -> bool:
    return isinstance(value, dict | list)


def _is_it(value: Any, schema: Any) -> bool:
    return _is_document(value) and fits(value, schema)


def _keys(value: Any) -> Any:
    return sorted(value) if isinstance(value, dict) else type(value).__name__
