"""litellm's model map (MIT): `model_prices_and_context_window.json`, USD per single token.

One object, a model a key. Traps, all met in real copies: entries with 0 for both rates stand for
"unknown" (and priced `claude-sonnet-4-20250514` at nothing); the map has no dates and loses
retired models; some batch rates are halves of a price that has since changed.
"""

from __future__ import annotations

import re
from pathlib import Path

from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers import reading
from llm_audit.prices.importers.collecting import Collector, Slot
from llm_audit.prices.importers.naming import Names
from llm_audit.prices.importers.records import Import

SOURCE = "litellm"

_KINDS = {
    "input_cost_per_token": "input",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_token": "output",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
}
_TIERS = {None: "standard", "batches": "batch", "flex": "flex", "priority": "priority"}
_KEY = re.compile(
    r"(?P<kind>" + "|".join(sorted(_KINDS, key=len, reverse=True)) + r")"
    r"(?:_above_(?P<thousands>[1-9]\d{0,5})k_tokens)?(?:_(?P<tier>batches|flex|priority))?"
)
_SELLERS = {
    "text-completion-openai": "openai",
    "azure": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
}
"""Their `litellm_provider`, where a log would say something else."""

_REGIONAL = re.compile(
    r"(azure|azure_ai|bedrock)/([a-z]{2}(?:-[a-z]+)*(?:-\d)?|global[a-z-]*)/(.+)"
)
"""A region between the gateway's prefix and the name: azure/eu/…, bedrock/us-east-1/…"""


def read(file: Path, catalogue: Catalogue) -> Import:
    """Candidates of a copy of the map."""
    source = reading.content(file)
    document = reading.parse_json(source)
    if not isinstance(document, dict) or not any(
        isinstance(one, dict) and "litellm_provider" in one for one in document.values()
    ):
        raise reading.wrong_shape(source, "litellm's model map (an object with a model a key)")
    found = Collector(SOURCE, source, per_mtok=10**6)
    names = Names(catalogue)
    for name, entry in document.items():
        if name != "sample_spec":
            _entry(found, names, name, entry)
    return found.result(f"{SOURCE}, {file.name}")


def _entry(found: Collector, names: Names, name: str, entry: object) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("litellm_provider"), str):
        found.skip(name, "not a model")
        return
    if entry.get("input_cost_per_token") == 0 and entry.get("output_cost_per_token") == 0:
        found.skip(name, "zero: unknown, not free")
        return
    written_by = str(entry["litellm_provider"])
    vertex = written_by.startswith("vertex_ai")
    seller = "gcp.vertex_ai" if vertex else _SELLERS.get(written_by, written_by)
    region = _REGIONAL.fullmatch(name)
    written = f"{region[1]}/{region[3]}" if region else name
    who = names.who(seller, written, region[2] if region else None)
    if isinstance(who, str):
        found.skip(name, who)
        return
    for key, value in entry.items():
        match = _KEY.fullmatch(key)
        if match:
            band = int(match["thousands"]) * 1000 if match["thousands"] else None
            slot = Slot(_TIERS[match["tier"]], _KINDS[match["kind"]], band)
            found.add(who, slot, value, f"{name} {key}")
        elif "_token_cost" in key or "cost_per_token" in key:
            found.skip(f"{name} {key}", "not a token rate we hold")
