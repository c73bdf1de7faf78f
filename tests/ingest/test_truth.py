"""Every shared log of our formats: the database says exactly what the raw JSON says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.helpers import Audit, audit
from tests.ingest.truth import Call, Tokens, calls_of, conflicting_ids, distinct, records_of
from tests.support import SHARED, shared

FOLDERS = (
    "litellm_generated",
    "litellm_fixtures",
    "openai_chat",
    "openai_responses",
    "openai_embeddings",
    "anthropic_messages",
    "openai_batch_output",
    "anthropic_batch_results",
)


def logs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "SOURCE.txt")


FILES = [
    path.relative_to(SHARED / "logs").as_posix()
    for name in FOLDERS
    if (SHARED / "logs" / name).exists()
    for path in logs(SHARED / "logs" / name)
]


def found_calls(book: Audit) -> tuple[dict[str, Call], list[Call]]:
    """The calls in the database by id, and all of them without their ids."""
    rows = book.rows(
        """
        SELECT call_id, input_tokens, COALESCE(cache_read_input_tokens, 0),
          COALESCE(cache_creation_5m_input_tokens, 0), COALESCE(cache_creation_1h_input_tokens, 0),
          output_tokens, COALESCE(reasoning_output_tokens, 0), status
        FROM calls
        """
    )
    named = {row[0]: Call(row[0], Tokens(*row[1:7]), row[7]) for row in rows}
    return named, [Call(None, call.tokens, call.status) for call in named.values()]


def assert_same(book: Audit, logged: list[Call]) -> None:
    """The calls in the database are those in the log: ids, tokens one by one and in sum."""
    named, anonymous = found_calls(book)
    expected = distinct(logged)
    unclear = conflicting_ids(logged)
    wanted = {call.id: call for call in expected if call.id and call.id not in unclear}
    assert {name: named.get(name) for name in wanted} == wanted
    for name in unclear:
        assert named[name] in logged
    for call in (call for call in expected if call.id is None):
        assert anonymous.count(call) >= expected.count(call)
    assert len(named) == len(expected)
    if not unclear:
        assert sums(anonymous) == sums(expected)


def sums(calls: list[Call]) -> tuple[int, ...]:
    return tuple(
        sum(getattr(call.tokens, column) or 0 for call in calls)
        for column in Tokens.__dataclass_fields__
    )


def test_there_are_logs_to_check() -> None:
    shared("logs")
    assert len(FILES) >= 25


@pytest.mark.parametrize("name", FILES)
def test_a_file_alone(name: str) -> None:
    path = shared("logs", name)
    logged = calls_of(path)
    assert conflicting_ids(logged) == set() or name.startswith("openai_responses")
    with audit() as book:
        summary = book.ingest(path)
        assert_same(book, logged)
        assert summary.rejects == 0
        assert summary.lines == len(records_of(path))
        assert summary.not_calls == len(records_of(path)) - len(logged)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_as_a_whole(folder: str) -> None:
    files = logs(shared("logs", folder))
    with audit() as book:
        book.ingest(*files)
        assert_same(book, [call for path in files for call in calls_of(path)])


def test_all_folders_in_one_go_and_in_any_order() -> None:
    """Mixed kinds at once; the order in which files come changes nothing."""
    files = [shared("logs", name) for name in FILES]
    logged = [call for path in files for call in calls_of(path)]
    with audit() as book:
        book.ingest(*files)
        assert_same(book, logged)
        ids = book.ids()
    with audit() as book:
        half = len(files) // 2
        book.ingest(*files[half:])
        book.ingest(*files[:half])
        assert_same(book, logged)
        assert book.ids() == ids


def test_the_mock_provider_behind_litellm_is_given_back() -> None:
    """LiteLLM 1.109.1 was run against a mock that answered 2006 (OpenAI) and 2506 (Claude)."""
    path = shared("logs", "litellm_generated", "standard_logging_payload_v1.109.1.jsonl")
    with audit() as book:
        book.ingest(path)
        rows = book.rows(
            """
            SELECT DISTINCT input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,
              cache_creation_1h_input_tokens, output_tokens
            FROM calls
            WHERE provider_name = 'anthropic' AND input_tokens > 0
            """
        )
        assert rows == [(2506, 1920, 400, 100, 300)]
        rows = book.rows(
            """
            SELECT DISTINCT input_tokens, cache_read_input_tokens, output_tokens
            FROM calls
            WHERE provider_name = 'openai' AND operation_name = 'chat'
              AND cache_read_input_tokens > 0
            """
        )
        assert rows == [(2006, 1920, 300)]


def test_batch_files_are_already_batch() -> None:
    for folder in ("openai_batch_output", "anthropic_batch_results"):
        with audit() as book:
            book.ingest(*logs(shared("logs", folder)))
            assert book.rows("SELECT DISTINCT service_tier FROM calls") == [("batch",)]
