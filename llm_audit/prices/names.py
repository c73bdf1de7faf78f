"""Reading a model name: what a log writes -> model, snapshot, and who sells it.

The steps and their order are fixed, each takes a known prefix or suffix off, and every step taken
is recorded. The words they know are data (`pricing/names.toml`). A name is never matched by a part
of it: public price tools that did so priced `gpt-4o-2024-05-13` as `gpt-4o`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

_ARN = re.compile(r"arn:[\w-]*:bedrock:[^:]*:[^:]*:([\w-]+)/(.+)")
_NAMED_RESOURCES = ("inference-profile", "foundation-model")
_PUBLISHER = re.compile(
    r"(?:projects/[^/]+/)?(?:locations/([a-z]+)[a-z0-9-]*/)?publishers/([\w-]+)/models/(.+)"
)
_FIREWORKS = re.compile(r"accounts/fireworks/(?:models|routers)/(.+)")
_BEDROCK_VERSION = re.compile(r"-v\d+(?::\d+)?(?::[\w]+)?$")
_AZURE_FINE_TUNE = re.compile(r"\.ft-[\w-]+$")
_DATE = re.compile(r"(?:-(\d{4}-\d\d-\d\d)|[-@](\d{8}))$")


@dataclass(frozen=True)
class ParsedName:
    """A model name taken apart.

    `written` is the name without gateway and vendor prefixes, `model` what is left in the end,
    `snapshot` an ISO date. `opaque` names (inference profiles, deployments) hide their model.
    """

    written: str
    model: str | None
    snapshot: str | None = None
    provider: str | None = None
    surface: str | None = None
    region_scope: str | None = None
    fine_tuned: bool = False
    floating: bool = False
    opaque: bool = False
    steps: tuple[str, ...] = ()


def parse(raw: str, words: dict[str, Any]) -> ParsedName:
    """Take a raw model name apart; `words` is `names.toml`."""
    name = _arn(ParsedName(written=raw.strip().lower(), model=raw.strip().lower()))
    if name.opaque:
        return name
    name = _display_name(name, words)
    name = _prefixes(name, words)
    name = _resource(name, words)
    name = _bedrock(name, words)
    name = _fine_tune(name)
    name = _router_suffix(name)
    name = _date(name)
    name = _latest(name, words)
    name = _spelling(name, words)
    return _family(name, words)


def _arn(name: ParsedName) -> ParsedName:
    match = _ARN.fullmatch(name.written)
    if not match:
        return name
    kind, resource = match.groups()
    if kind in _NAMED_RESOURCES:
        return _rename(name, resource, "arn", surface="bedrock")
    return replace(
        name, model=None, opaque=True, surface="bedrock", steps=("arn", f"opaque:{kind}")
    )


def _display_name(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    """`Claude Haiku 4.5`, as a console shows it; the name as written stays."""
    if any(re.fullmatch(shown, name.written) for shown in words["display_names"]):
        return _short(name, name.written.replace(" ", "-"), "display-name")
    return name


def _resource(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    """The path of a model at Google Cloud (with its location) or at Fireworks."""
    match = _FIREWORKS.fullmatch(name.written)
    if match:
        return _rename(name, match[1], "resource:fireworks", surface="fireworks")
    match = _PUBLISHER.fullmatch(name.written)
    if not match:
        return name
    location, publisher, model = match.groups()
    known = words["prefixes"].get(publisher, {})
    return _rename(
        name,
        model,
        f"resource:{publisher}",
        provider=known.get("provider", name.provider),
        surface="vertex",
        region_scope=words["locations"].get(location, name.region_scope),
    )


def _prefixes(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    head, slash, rest = name.written.partition("/")
    while slash and rest and head in words["prefixes"]:
        known = words["prefixes"][head]
        name = _rename(
            name,
            rest,
            f"prefix:{head}",
            provider=known.get("provider", name.provider),
            surface=name.surface or known.get("surface"),
            region_scope=known.get("region", name.region_scope),
        )
        head, slash, rest = rest.partition("/")
    return name


def _bedrock(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    """Region, vendor and version of a Bedrock id: `us.anthropic.claude-…-v1:0`."""
    head, dot, rest = name.written.partition(".")
    if dot and head in words["regions"] and rest.partition(".")[0] in words["vendors"]:
        name = _rename(name, rest, f"region:{head}", region_scope=head, surface="bedrock")
        head, dot, rest = rest.partition(".")
    if dot and head in words["vendors"]:
        vendor = words["vendors"][head]
        name = _rename(name, rest, f"vendor:{head}", provider=vendor, surface="bedrock")
    if name.surface == "bedrock" and _BEDROCK_VERSION.search(name.written):
        name = _rename(name, _BEDROCK_VERSION.sub("", name.written), "bedrock-version")
    return name


def _fine_tune(name: ParsedName) -> ParsedName:
    if name.written.startswith("ft:"):
        return replace(_short(name, name.written.split(":")[1], "ft"), fine_tuned=True)
    if _AZURE_FINE_TUNE.search(name.written):
        base = _AZURE_FINE_TUNE.sub("", name.written)
        return replace(_short(name, base, "azure-ft"), fine_tuned=True)
    return name


def _router_suffix(name: ParsedName) -> ParsedName:
    base, colon, suffix = (name.model or "").partition(":")
    return _short(name, base, f"suffix:{suffix}") if colon and base else name


def _date(name: ParsedName) -> ParsedName:
    model = name.model or ""
    if model.endswith("@default"):
        return _short(name, model.removesuffix("@default"), "@default")
    match = _DATE.search(model)
    if not match:
        return name
    try:
        snapshot = date.fromisoformat(match[1] or match[2]).isoformat()
    except ValueError:
        return name
    return replace(_short(name, model[: match.start()], "date"), snapshot=snapshot)


def _latest(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    model = name.model or ""
    if not model.endswith("-latest") or model in words["whole_names"]:
        return name
    return replace(_short(name, model.removesuffix("-latest"), "latest"), floating=True)


def _spelling(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    model = name.model or ""
    for spelling in words["spellings"]:
        match = re.fullmatch(spelling["find"], model)
        model = match.expand(spelling["write"]) if match else model
    return replace(name, model=model)


def _family(name: ParsedName, words: dict[str, Any]) -> ParsedName:
    if name.provider:
        return name
    for family in words["families"]:
        if re.fullmatch(family["find"], name.model or ""):
            return replace(name, provider=family["provider"])
    return name


def _rename(name: ParsedName, written: str, step: str, **known: str | None) -> ParsedName:
    """Take off what says who sells the model: the name as written changes too."""
    return replace(name, written=written, model=written, steps=(*name.steps, step), **known)  # type: ignore[arg-type]


def _short(name: ParsedName, model: str, step: str) -> ParsedName:
    """Take off what says which model it is: the name as written stays."""
    return replace(name, model=model, steps=(*name.steps, step))
