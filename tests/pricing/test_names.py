"""Model names: taken apart step by step, found on the card or refused, never guessed."""

from __future__ import annotations

import json

import duckdb
import pytest

from llm_audit.prices import catalogue
from llm_audit.prices.names import parse
from llm_audit.prices.resolve import Resolver
from tests.pricing.helpers import call, price, rows
from tests.support import shared

DATA = catalogue.read()
RESOLVER = Resolver(DATA)


def test_the_collected_name_cases() -> None:
    cases = json.loads(shared("facts", "pricing_model_name_cases.json").read_text(encoding="utf-8"))
    assert len(cases) == 41
    for case in cases:
        name = parse(case["raw"], DATA.names)
        assert (name.model, name.snapshot) == (case["model"], case["snapshot"]), case["raw"]
        assert case["got"] == {
            "provider": name.provider,
            "surface": name.surface,
            "region_scope": name.region_scope,
            "fine_tuned": name.fine_tuned,
            "opaque": name.opaque,
            "steps": list(name.steps),
        }, case["raw"]


@pytest.mark.parametrize(
    ("raw", "model", "snapshot", "steps"),
    [
        ("GPT-4o", "gpt-4o", None, ""),
        ("openrouter/openai/gpt-4o", "gpt-4o", None, "prefix:openrouter prefix:openai"),
        ("claude-haiku-3-5", "claude-3-5-haiku", None, ""),
        ("claude-3.7-sonnet", "claude-3-7-sonnet", None, ""),
        ("claude-sonnet-4-0", "claude-sonnet-4", None, ""),
        ("gpt-4o-2024-13-45", "gpt-4o-2024-13-45", None, ""),
        ("anthropic.claude-opus-5-v1", "claude-opus-5", None, "vendor:anthropic bedrock-version"),
        ("text-embedding-ada-002-v2", "text-embedding-ada-002-v2", None, ""),
        ("gpt-5-2-mini", "gpt-5.2-mini", None, ""),
        ("gpt-4-0613", "gpt-4-0613", None, ""),
        ("gpt-4-1106-preview", "gpt-4-1106-preview", None, ""),
        ("mistral-medium-latest", "mistral-medium-latest", None, ""),
        ("claude 3 opus of my friend", "claude 3 opus of my friend", None, ""),
        ("Claude Haiku 4.5", "claude-haiku-4-5", None, "display-name"),
        ("Claude 2.1", "claude-2-1", None, "display-name"),
        ("/", "/", None, ""),
        ("openai/", "openai/", None, ""),
    ],
)  # fmt: skip
def test_reading(raw: str, model: str, snapshot: str | None, steps: str) -> None:
    name = parse(raw, DATA.names)
    assert (name.model, name.snapshot, " ".join(name.steps)) == (model, snapshot, steps)


@pytest.mark.parametrize(
    ("provider", "name", "key", "method"),
    [
        ("openai", "gpt-4o", "gpt-4o", "exact"),
        (None, "gpt-4o", "gpt-4o", "exact"),
        ("openai", "openai/gpt-4.1-mini", "gpt-4.1-mini", "exact"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o@2024-05-13", "snapshot"),
        ("openai", "gpt-4.1-2025-04-14", "gpt-4.1", "alias"),
        ("openai", "gpt-5.6", "gpt-5.6-sol", "alias"),
        ("openai", "gpt-4-turbo", "gpt-4-turbo@2024-04-09", "alias"),
        ("openai", "text-embedding-ada-002-v2", "text-embedding-ada-002", "alias"),
        ("openai", "gpt-41-mini", "gpt-4.1-mini", "spelling"),
        ("openai", "gpt-5.2-2026-02-02", "gpt-5.2", "date_stripped"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::x", "ft:gpt-4o@2024-08-06", "snapshot"),
    ],
)
def test_priced_names(provider: str | None, name: str, key: str, method: str) -> None:
    found = RESOLVER.resolve(provider, None, name)
    assert (found.price_key, found.match_method) == (f"openai/first_party/{key}", method)


@pytest.mark.parametrize(
    ("provider", "name", "method"),
    [
        ("openai", "gpt-5.2-proo", "unknown"),
        ("openai", "gpt-4o-mini-ttts", "unknown"),
        ("openai", "whisper-1", "unknown"),
        ("openai", "gpt-5.6-terra-2026-07-09-global-aaif", "unknown"),
        ("openai", "ft:gpt-5-2025-08-07:acme::x", "unknown"),
        ("openai", "claude-sonnet-4-5", "unknown"),
        (None, "my-prod-deployment", "unknown"),
        (None, "openrouter/openai/gpt-4o", "not_carried"),
        ("azure.ai.openai", "my-deployment", "not_carried"),
        ("openai", "azure/gpt-4-vision-preview", "unknown"),
        ("aws.bedrock", "us.cohere.command-r-plus-v1:0", "not_carried"),
        ("aws.bedrock", "us.anthropic.claude-next-20250514-v1:0", "unknown"),
        ("ollama", "mistral:latest", "not_carried"),
        ("groq", "llama-3.3-70b-versatile-2", "unknown"),
        (None, "deepseek-r1:14b", "unknown"),
        (None, "llama3.2:latest", "not_carried"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/a", "opaque"),
        ("some-gateway", "gpt-4o", "not_carried"),
        ("openai", "  ", "missing"),
    ],
)
def test_unpriced_names_get_a_hint(provider: str | None, name: str, method: str) -> None:
    found = RESOLVER.resolve(provider, None, name)
    assert (found.price_key, found.match_method) == (None, method)
    assert found.hint


@pytest.mark.parametrize(
    ("provider", "name", "key"),
    [
        ("anthropic", "Claude Haiku 4.5", "anthropic/first_party/claude-haiku-4-5"),
        ("anthropic", "Claude Haiku 3.5", "anthropic/first_party/claude-3-5-haiku"),
        ("anthropic", "Claude 3 Opus", "anthropic/first_party/claude-3-opus"),
        ("anthropic", "Claude 3 Sonnet", "anthropic/first_party/claude-3-sonnet"),
        ("anthropic", "Claude Sonnet 4", "anthropic/first_party/claude-sonnet-4"),
        ("anthropic", "Claude Opus 4.8", "anthropic/first_party/claude-opus-4-8"),
        ("anthropic", "Claude Instant", "anthropic/first_party/claude-instant"),
        ("anthropic", "Claude 2", "anthropic/first_party/claude-2"),
        ("openai", "gpt-5-nano-2025-08-07", "openai/first_party/gpt-5-nano"),
        ("openai", "davinci:2023-07-21-v2", "openai/first_party/davinci-002"),
        ("openai", "gpt-5-chat-latest", "openai/first_party/gpt-5-chat"),
        ("openai", "gpt-3.5-turbo-16k", "openai/first_party/gpt-3.5-turbo-16k-0613"),
        (None, "gemini/gemini-2.5-pro", "google/first_party/gemini-2.5-pro"),
        ("gcp.gemini", "models/gemini-2.5-flash", "google/first_party/gemini-2.5-flash"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/vertex/gemini-2.5-pro"),
        (None, "publishers/google/models/gemini-2.5-pro", "google/vertex/gemini-2.5-pro"),
        (None, "vertex_ai/claude-opus-4-6@default", "anthropic/vertex/claude-opus-4-6"),
        ("groq", "openai/gpt-oss-120b", "openai/groq/gpt-oss-120b"),
        (None, "groq/llama-3.1-8b-instant", "meta/groq/llama-3.1-8b-instant"),
        (None, "groq/meta-llama/llama-4-scout-17b-16e-instruct",
         "meta/groq/llama-4-scout-17b-16e-instruct"),
        (None, "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
         "meta/together/llama-3.3-70b-instruct-turbo"),
        ("fireworks", "accounts/fireworks/models/kimi-k2p6", "moonshot/fireworks/kimi-k2p6"),
        (None, "fireworks_ai/accounts/fireworks/models/gpt-oss-120b",
         "openai/fireworks/gpt-oss-120b"),
        (None, "mistral/mistral-medium-latest", "mistral/first_party/mistral-medium-latest"),
        ("mistral_ai", "mistral-small", "mistral/first_party/mistral-small-latest"),
        (None, "xai/grok-4.3", "xai/first_party/grok-4.3"),
        ("x_ai", "grok-4.20-0309-reasoning", "xai/first_party/grok-4.20"),
        ("deepseek", "deepseek-v4-flash", "deepseek/first_party/deepseek-v4-flash"),
        ("azure.ai.openai", "gpt-35-turbo", "openai/azure/gpt-3.5-turbo"),
        (None, "azure/global-standard/gpt-4o-2024-08-06", "openai/azure/gpt-4o"),
        ("aws.bedrock", "claude-sonnet-4-5", "anthropic/bedrock/claude-sonnet-4-5"),
        ("aws.bedrock", "amazon.nova-lite-v1:0", "amazon/bedrock/nova-lite"),
        ("aws.bedrock", "us.meta.llama3-3-70b-instruct-v1:0",
         "meta/bedrock/llama3-3-70b-instruct"),
        ("aws.bedrock", "openai.gpt-oss-120b-1:0", "openai/bedrock/gpt-oss-120b"),
        ("aws.bedrock", "anthropic.claude-v2:1", "anthropic/bedrock/claude"),
        ("aws.bedrock", "deepseek.r1-v1:0", "deepseek/bedrock/r1"),
    ],
)  # fmt: skip
def test_names_of_every_seller(provider: str | None, name: str, key: str) -> None:
    assert RESOLVER.resolve(provider, None, name).price_key == key


@pytest.mark.parametrize(
    ("name", "surface", "region"),
    [
        ("azure/eu/gpt-4o", "azure", "eu"),
        ("bedrock/us-east-1/anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "us"),
        ("in.anthropic.claude-opus-5", "bedrock", "in"),
        ("projects/p/locations/europe-west4/publishers/google/models/gemini-2.5-pro",
         "vertex", "eu"),
        ("projects/p/locations/global/publishers/anthropic/models/claude-opus-5",
         "vertex", "global"),
        ("publishers/google/models/gemini-2.5-pro", "vertex", None),
    ],
)  # fmt: skip
def test_where_a_name_says_it_runs(name: str, surface: str, region: str | None) -> None:
    parsed = parse(name, DATA.names)
    assert (parsed.surface, parsed.region_scope) == (surface, region)


@pytest.mark.parametrize("provider", ["anthropic", None])
@pytest.mark.parametrize("name", ["claude-haiku-4", "anthropic/claude-haiku-4", "claude-4-haiku"])
def test_claude_haiku_4_does_not_exist(provider: str | None, name: str) -> None:
    found = RESOLVER.resolve(provider, name, None)
    assert (found.price_key, found.match_method) == (None, "refused")
    assert "Haiku 3.5" in found.hint
    assert "Haiku 4.5" in found.hint


def test_a_hint_never_repeats_the_log() -> None:
    for name in ("<script>gpt-4o", "\x1b[31mgpt-4o", "arn:aws:bedrock:x:1:evil/\x1b["):
        hint = RESOLVER.resolve("<b>", name, None).hint
        assert "<" not in hint
        assert "\x1b" not in hint


def test_the_served_model_prices() -> None:
    found = RESOLVER.resolve("openai", "gpt-4o-mini", "gpt-4o-2024-08-06")
    assert found.price_key == "openai/first_party/gpt-4o@2024-08-06"


def test_the_users_own_alias_goes_first() -> None:
    found = Resolver(DATA, {"My-Prod": "gpt-4.1"}).resolve("openai", "my-prod", None)
    assert (found.price_key, found.match_method) == ("openai/first_party/gpt-4.1", "user")


def test_every_name_of_the_calls_is_answered_once(connection: duckdb.DuckDBPyConnection) -> None:
    calls = [
        call("gpt-4.1"),
        call("gpt-4.1"),
        call("gpt-99"),
        {**call("gpt-4o"), "provider_name": None},
    ]
    price(connection, calls)
    names = rows(connection, "SELECT response_model, match_method FROM model_names ORDER BY ALL")
    assert [(n["response_model"], n["match_method"]) for n in names] == [
        ("gpt-4.1", "exact"),
        ("gpt-4o", "exact"),
        ("gpt-99", "unknown"),
    ]
