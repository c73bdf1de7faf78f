"""Portkey's models (MIT): `pricing/<seller>.json`, in US cents per single token.

One file a seller, named after it; one object, a model a key. Its batch rates are halves even where
the vendor has no batch rate, so each of them carries a doubt.
"""

from __future__ import annotations

from pathlib import Path

from llm_audit.errors import InputError
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers import reading
from llm_audit.prices.importers.collecting import Collector, Slot
from llm_audit.prices.importers.naming import Names, Who
from llm_audit.prices.importers.records import Import

SOURCE = "portkey"

_KINDS = {
    "request_token": "input",
    "cache_read_input_token": "cached_input",
    "cache_write_input_token": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "response_token": "output",
    "request_audio_token": "audio_input",
    "response_audio_token": "audio_output",
    "request_image_token": "image_input",
    "response_image_token": "image_output",
}
_TIERS = {"pay_as_you_go": "standard", "batch_config": "batch"}
_SELLERS = {
    "openai": "openai",
    "open-ai": "openai",
    "anthropic": "anthropic",
    "azure-openai": "azure.ai.openai",
    "azure-ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "vertex-ai": "gcp.vertex_ai",
    "mistral-ai": "mistral_ai",
    "x-ai": "x_ai",
    "groq": "groq",
    "deepseek": "deepseek",
    "cohere": "cohere",
    "together-ai": "together",
    "fireworks-ai": "fireworks",
}
"""Whose prices a file holds: nothing in it says so, only its name."""


def read(file: Path, catalogue: Catalogue) -> Import:
    """Candidates of one seller's file."""
    seller = _SELLERS.get(file.stem)
    if seller is None:
        raise InputError(
            f"the name of {file.name} does not say whose prices it holds",
            slug="price-file-seller",
            hint="keep Portkey's file names: " + ", ".join(f"{name}.json" for name in _SELLERS),
        )
    source = reading.content(file)
    document = reading.parse_json(source)
    if not isinstance(document, dict) or not any(
        isinstance(one, dict) and "pricing_config" in one for one in document.values()
    ):
        raise reading.wrong_shape(source, "a price file of Portkey (an object with a model a key)")
    # A cent per token is 10,000 USD per million tokens.
    found = Collector(SOURCE, source, per_mtok=10**4)
    names = Names(catalogue)
    for name, entry in document.items():
        if name != "default":
            _entry(found, names, seller, name, entry)
    return found.result(f"{SOURCE}, {file.name}", halves_blindly=True)


def _entry(found: Collector, names: Names, seller: str, name: str, entry: object) -> None:
    config = entry.get("pricing_config") if isinstance(entry, dict) else None
    if not isinstance(config, dict):
        found.skip(name, "no prices")
        return
    if config.get("currency", "USD") != "USD":
        found.skip(name, "not in USD")
        return
    who = names.who(seller, name)
    if isinstance(who, str):
        found.skip(name, who)
        return
    for part, rates in config.items():
        if part in _TIERS and isinstance(rates, dict):
            _rates(found, who, f"{name} {part}", _TIERS[part], rates)
        elif part not in ("currency", "calculate"):
            found.skip(f"{name} {part}", "not a token rate we hold")


def _rates(found: Collector, who: Who, key: str, tier: str, rates: dict[str, object]) -> None:
    extra = rates.get("additional_units")
    for name, unit in {**rates, **(extra if isinstance(extra, dict) else {})}.items():
        place = f"{key} {name}"
        if name == "additional_units":
            continue
        if name not in _KINDS:
            found.skip(place, "not a token rate we hold")
        else:
            price = unit.get("price") if isinstance(unit, dict) else None
            found.add(who, Slot(tier, _KINDS[name]), price, place)
