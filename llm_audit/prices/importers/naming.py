"""Whose model an entry of a price file is, who sells it, and which rows of ours it speaks of.

Names are read exactly as those of a log are (`names.parse`, `Resolver`); never by a part of one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers.records import ANY_REGION
from llm_audit.prices.names import parse
from llm_audit.prices.resolve import FIRST_PARTY, Resolver

_NAME = re.compile(r"[A-Za-z0-9][\w.:/@+ -]{0,199}", re.ASCII)
"""Names that may stand in a CSV cell and on a terminal."""

_GLOBAL = ("global", "global-standard")


@dataclass(frozen=True)
class Who:
    """A model at a seller, as the columns of a rate name it."""

    provider: str
    surface: str
    model: str
    snapshot: str | None
    region_scope: str = ANY_REGION


class Names:
    """Reads the names of one price file against one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = catalogue.names
        self._resolver = Resolver(catalogue)

    def who(self, provider_name: str, name: object, region: str | None = None) -> Who | str:
        """The model that `name` stands for at `provider_name`, or why it is none.

        `provider_name` is what a log's gen_ai.provider.name would say; `region` what the file
        says beside the name.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return "not a model name"
        found = self._resolver.resolve(provider_name, None, name)
        if found.match_method in ("refused", "opaque", "missing"):
            return f"name {found.match_method}"
        if found.provider is None:
            return "nobody says whose model this is"
        parsed = parse(name, self._words)
        variant = [step.removeprefix("suffix:") for step in parsed.steps if "suffix:" in step]
        if variant and not variant[0].isdigit():  # a number is Bedrock's version of a model
            return "a router's variant of a model"  # gpt-4o:extended costs more than gpt-4o
        scope = region or parsed.region_scope or ANY_REGION
        scope = ANY_REGION if scope in _GLOBAL else scope
        if found.model is not None:
            model, snapshot = found.model, found.snapshot
        else:
            model = f"ft:{parsed.model}" if parsed.fine_tuned else parsed.model or ""
            snapshot = parsed.snapshot
        return Who(found.provider, found.surface or FIRST_PARTY, model, snapshot, scope)
