"""From the names in a log to the price rows of one model, or to the reason why there are none.

The served model prices (`response_model`; the requested one only where the log has no other).
Order: the user's own alias, the snapshot's rows, a known alias, the model's base rows. A name that
is not on the card gets a hint, never a price of something alike. Hints hold no text of the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.names import ParsedName, parse
from llm_audit.prices.records import model_key

FIRST_PARTY = "first_party"


@dataclass(frozen=True)
class Resolution:
    """Where a name led. `price_key` None: unpriced, and `hint` says what would help.

    `region_scope` is the region that the name itself names (`us.anthropic.claude-…`).

    `match_method`: exact, snapshot, alias, spelling, date_stripped, user; or, unpriced, refused,
    opaque, not_carried, unknown, missing.
    """

    provider: str | None
    surface: str | None
    model: str | None
    snapshot: str | None
    price_key: str | None
    match_method: str
    hint: str
    steps: str = ""
    region_scope: str | None = None


class Resolver:
    """Looks names up in one catalogue; `aliases` are the user's own (name in the log -> model)."""

    def __init__(self, catalogue: Catalogue, aliases: Mapping[str, str] | None = None) -> None:
        self._words = catalogue.names
        self._user = {name.lower(): model for name, model in (aliases or {}).items()}
        self._rows = {(r.provider, r.surface, r.model, r.snapshot) for r in catalogue.prices}
        self._sold = {(provider, surface) for provider, surface, _, _ in self._rows}
        targets: dict[tuple[str, str], set[tuple[str, str | None]]] = defaultdict(set)
        for alias in catalogue.aliases:
            targets[alias.provider, alias.alias].add((alias.model, alias.snapshot))
        # A name that has pointed to several models is priced by dated rows of its own.
        self._aliases = {name: one.pop() for name, one in targets.items() if len(one) == 1}

    def resolve(
        self, provider_name: str | None, request_model: str | None, response_model: str | None
    ) -> Resolution:
        """The price rows that one (provider_name, request_model, response_model) is billed by."""
        written = [
            name.strip() for name in (response_model, request_model) if name and name.strip()
        ]
        if not written:
            return _unpriced("missing", "the log names no model for these calls")
        raw, *_ = written
        own = [self._user[name.lower()] for name in written if name.lower() in self._user]
        by_user = own[0] if own else None
        name = parse(by_user or raw, self._words)
        provider, surface = self._seller(provider_name, name)
        steps = " ".join(name.steps)
        if name.opaque:
            return Resolution(
                provider, surface, None, None, None, "opaque",
                "this id hides its model: name the model under [aliases] in llm-audit.toml", steps,
            )  # fmt: skip
        free = [step for step in name.steps if step in self._words["free_variants"]]
        if free:
            return Resolution(
                provider, surface, None, None, None, "not_carried",
                "a router's free variant: what it costs is the router's to say", steps,
            )  # fmt: skip
        found = self._rows_of(provider, surface, name)
        if found:
            model, snapshot, row_snapshot, method = found
            key = model_key(provider or "", surface or "", model, row_snapshot)
            hint = (
                "this snapshot has no rows of its own: priced as the model it belongs to"
                if method == "date_stripped"
                else ""
            )
            method = "user" if by_user else method
            return Resolution(
                provider, surface, model, snapshot, key, method, hint, steps, name.region_scope
            )
        method, hint = self._reason(provider, surface, name)
        return Resolution(provider, surface, None, None, None, method, hint, steps)

    def _seller(self, provider_name: str | None, name: ParsedName) -> tuple[str | None, str | None]:
        """Who made the model and who sells it; what the model's own name says goes first."""
        if not provider_name:
            return name.provider, name.surface or FIRST_PARTY
        listed = self._words["provider_names"].get(provider_name.lower())
        if listed is None:
            maker = provider_name.lower()
            if (maker, FIRST_PARTY) in self._sold:
                return maker, name.surface or FIRST_PARTY
            return name.provider, name.surface or maker
        return listed.get("provider", name.provider), name.surface or listed.get("surface")

    def _rows_of(
        self, provider: str | None, surface: str | None, name: ParsedName
    ) -> tuple[str, str | None, str | None, str] | None:
        """(model, snapshot, snapshot of its rows, match method), or None."""
        model = f"ft:{name.model}" if name.fine_tuned else name.model or ""
        if name.snapshot and (provider, surface, model, name.snapshot) in self._rows:
            return model, name.snapshot, name.snapshot, "snapshot"
        if not name.fine_tuned:
            for written in (name.written, model):
                target = self._aliases.get((provider or "", written))
                if target:
                    for snapshot in (target[1], None):
                        if (provider, surface, target[0], snapshot) in self._rows:
                            return target[0], target[1], snapshot, "alias"
        if (provider, surface, model, None) not in self._rows:
            return None
        if name.snapshot:
            return model, name.snapshot, None, "date_stripped"
        if name.floating:
            return model, None, None, "alias"
        return model, None, None, "exact" if name.written.startswith(model) else "spelling"

    def _reason(
        self, provider: str | None, surface: str | None, name: ParsedName
    ) -> tuple[str, str]:
        refused = self._words["refused"].get(name.model or "")
        if refused and provider in (refused["provider"], None):
            return "refused", refused["hint"]
        if (provider, surface) not in self._sold:
            if provider is None and surface in (None, FIRST_PARTY):
                return "unknown", (
                    "no model of this name is on the price card: if it is a deployment's name, "
                    "name its model under [aliases] in llm-audit.toml"
                )
            return "not_carried", "the price card has no rows for this seller yet"
        if name.provider and name.provider != provider:
            return "unknown", (
                f"{provider} sells no model of this name: is provider_name the one who is paid?"
            )
        sold = {model for maker, _, model, _ in self._rows if maker == provider}
        near = get_close_matches(name.model or "", sorted(sold), n=2, cutoff=0.75)
        return "unknown", "not on the price card" + (
            f"; similar names on it: {', '.join(near)}" if near else ""
        )


def _unpriced(method: str, hint: str) -> Resolution:
    return Resolution(None, None, None, None, None, method, hint)
