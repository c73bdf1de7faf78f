"""genai-prices (MIT): `prices/new_data/v2/data.json`, or the data of the installed package.

The JSON is a list of providers (from v3 on under the key `providers`), rates in USD per million
tokens. The package ships no JSON: version 0.2.3 has the same records as Python literals in
`data.py`. They are read as syntax; nothing of the package is imported or run.

Dates: a rate in a list of dated prices began on its start date. The variants for batch, flex,
priority and fast carry the day on which somebody looked (mostly 2026-10-12 to 14), not the day on
which they began: the package itself then answers with the standard rate for earlier days. Here
such a rate is simply not known before its day. What a variant leaves out is not known either: the
package falls back to the standard rate there, too.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llm_audit.errors import InputError
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers import reading
from llm_audit.prices.importers.collecting import Collector, Slot
from llm_audit.prices.importers.naming import Names, Who
from llm_audit.prices.importers.records import Import

SOURCE = "genai-prices"

_KINDS = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "input_image_mtok": "image_input",
    "output_image_mtok": "image_output",
}
_TIERS = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("speed", "fast"): "priority",
}
"""The variants we have a tier for; OpenAI's service_tier "fast" repeats "priority" there."""

_SELLERS = {
    "x-ai": "x_ai",
    "mistral": "mistral_ai",
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
}
"""Their provider ids, where a log would say something else."""


def installed() -> Path:
    """The data file of the installed package, found without importing it.

    Errors: `InputError` when the package is not installed.
    """
    spec = util.find_spec("genai_prices")
    if spec is None or spec.origin is None:
        raise InputError(
            "genai-prices is not installed",
            slug="price-source-missing",
            hint='pip install "llm-audit[prices]", or name a copy of its data.json with --from',
        )
    return Path(spec.origin).parent / "data.py"


def read(file: Path | None, catalogue: Catalogue) -> Import:
    """Candidates of a data.json, of a data.py, or (None) of the installed package."""
    label = f"{SOURCE}, {file.name}" if file else f"{SOURCE} {_version()} (installed)"
    source = reading.content(file or installed())
    document = _python(source) if source.name.endswith(".py") else reading.parse_json(source)
    if isinstance(document, dict):
        document = document.get("providers")
    if not isinstance(document, list) or not all(_is_provider(one) for one in document):
        raise reading.wrong_shape(source, "the data of genai-prices (a list of providers)")
    found = Collector(SOURCE, source, per_mtok=1)
    names = Names(catalogue)
    for provider in document:
        for model in provider["models"]:
            _model(found, names, provider["id"], model)
    return found.result(label)


def _version() -> str:
    try:
        return version("genai-prices")
    except PackageNotFoundError:
        return "of unknown version"


def _is_provider(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and isinstance(value.get("models"), list)
    )


def _model(found: Collector, names: Names, provider: str, model: object) -> None:
    if not isinstance(model, dict):
        found.skip(provider, "not a model")
        return
    key = f"{provider} {model.get('id')}"
    who = names.who(_seller(provider, model.get("id")), model.get("id"))
    if isinstance(who, str):
        found.skip(key, who)
        return
    for prices, slot in (*_dated(found, key, model.get("prices")), *_variants(found, key, model)):
        _rates(found, who, key, prices, slot)


def _seller(provider: str, model: object) -> str:
    """Google's list holds Gemini as AI Studio sells it, and others' models as Vertex does."""
    if provider == "google":
        return "gcp.gemini" if str(model).lower().startswith("gem") else "gcp.vertex_ai"
    return _SELLERS.get(provider, provider)


@dataclass(frozen=True)
class _When:
    """A tier and the days for which a set of rates holds."""

    tier: str
    start: date | None
    end: date | None = None
    basis: str = ""


def _dated(found: Collector, key: str, prices: object) -> Iterator[tuple[object, _When]]:
    """The standard prices: one set, or a list in which the last set that has begun holds."""
    if not isinstance(prices, list):
        yield prices, _When("standard", None)
        return
    begun: list[tuple[object, date | None]] = []
    for one in prices:
        known, start = _start(one)
        if known:
            begun.append((one.get("prices"), start))
        else:
            found.skip(key, "price under a condition other than a first day")
    for index, (rates, start) in enumerate(begun):
        later = [other or date.min for _, other in begun[index + 1 :]]
        if any(other <= (start or date.min) for other in later):
            continue  # a later line of the list always wins
        basis = "change" if start else ""
        yield rates, _When("standard", start, min(later, default=None), basis)


def _variants(
    found: Collector, key: str, model: dict[str, object]
) -> Iterator[tuple[object, _When]]:
    """The prices of other tiers, a rate at a time: of two in force, the first in the list wins."""
    variants = model.get("price_variants")
    begun: dict[tuple[str, object], list[date]] = defaultdict(list)
    for one in variants if isinstance(variants, list) else ():
        known, start = _start(one)
        when = one.get("when") if known else None
        if not isinstance(when, dict) or len(when) != 1:
            found.skip(key, "variant under several conditions")
            continue
        ((name, value),) = when.items()
        tier = _TIERS.get((name, value)) if isinstance(value, str) else None
        rates = one.get("prices")
        if tier is None or not isinstance(rates, dict):
            found.skip(key, "variant that is no tier of ours")
            continue
        for unit, rate in rates.items():
            earlier = begun[tier, unit]
            end = min(earlier, default=None)
            if end is None or end > (start or date.min):
                yield {unit: rate}, _When(tier, start, end, "first_seen" if start else "")
            earlier.append(start or date.min)


def _start(one: object) -> tuple[bool, date | None]:
    """(whether a price holds from a day on and under no other condition, that day if any)."""
    if not isinstance(one, dict):
        return False, None
    constraint = one.get("constraint")
    if constraint is None:
        return True, None
    if isinstance(constraint, dict) and set(constraint) == {"start_date"}:
        try:
            return True, date.fromisoformat(str(constraint["start_date"]))
        except ValueError:
            pass
    return False, None


def _rates(found: Collector, who: Who, key: str, prices: object, when: _When) -> None:
    if not isinstance(prices, dict):
        found.skip(key, "no prices")
        return
    for name, value in prices.items():
        place = f"{key} {when.tier} {name}"
        kind = _KINDS.get(name)
        if value is None or (name == "cache_write_mtok" and "cache_write_5m_mtok" in prices):
            continue
        if kind is None:
            found.skip(place, "not a token rate we hold")
            continue
        for band, rate in _bands(value):
            slot = Slot(when.tier, kind, band, when.start, when.end, when.basis)
            found.add(who, slot, rate, place)


def _bands(value: object) -> Iterator[tuple[int | None, object]]:
    """(prompt size above which it holds, rate): one rate, or a base and tiers above it."""
    if not isinstance(value, dict):
        yield None, value
        return
    yield None, value.get("base")
    tiers = value.get("tiers")
    for tier in tiers if isinstance(tiers, list) else ():
        start = reading.tokens(tier.get("start")) if isinstance(tier, dict) else None
        if start is not None:
            yield start, tier.get("price")


# The package's data.py: the same records, written as calls of their classes.


def _python(source: reading.Content) -> object:
    """The literal assigned to `providers`, in the shape that the JSON has."""
    try:
        body = ast.parse(source.text).body
        for node in body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "providers":
                return None if node.value is None else _literal(node.value)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    raise reading.wrong_shape(source, "the data.py of genai-prices")


def _literal(node: ast.expr) -> object:
    """Constants, lists, dicts and calls; a call becomes what its JSON form would be."""
    match node:
        case ast.Constant(value=bool() | None | str() as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return Decimal(str(value))
        case ast.List(elts=items):
            return [_literal(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_literal(k): _literal(v) for k, v in pairs if isinstance(k, ast.Constant)}
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str() as digits)]):
            return _decimal(digits)
        case ast.Call(func=ast.Attribute(attr="date"), args=[*parts]):
            return "-".join(str(_literal(part)).zfill(2) for part in parts)
        case ast.Call(keywords=given):
            return {one.arg: _literal(one.value) for one in given if one.arg}
    return None


def _decimal(digits: str) -> Decimal | None:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None
