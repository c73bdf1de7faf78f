"""What the user's own batches showed: `[[measured]]` -> plain values.

`llm-audit migrate verify --write-policy` writes the entries (`policy.recording`). Figures that rest
on too little are refused here as well as there, so that none is ever counted with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from llm_audit.policy.parts import (
    LEAST_BATCHES,
    LEAST_REQUESTS,
    CacheHits,
    Measured,
    Turnaround,
)
from llm_audit.policy.places import Place
from llm_audit.policy.reading import day, known_keys, number, seconds, shown, text
from llm_audit.policy.refusal import refusal

HITS = ("cache_hit_share", "requests")
TURNAROUND = ("turnaround_p90", "turnaround_max", "batches")
KEYS = ("provider", "model", *HITS, *TURNAROUND, "measured_on")
"""All keys, in the order in which they are written. Each group is given whole or not at all."""


def read_measured(entry: Mapping[str, Any], list_place: Place, position: int) -> Measured:
    """The `[[measured]]` at that position, from 0."""
    place = list_place.at(position, f"[[measured]] {position + 1}")
    known_keys(entry, KEYS, place)
    has_hits, has_turnaround = (_whole(entry, group, place) for group in (HITS, TURNAROUND))
    if not has_hits and not has_turnaround:
        raise refusal(
            place, "says neither how many cache hits nor how long", slug="measured-empty",
            hint=f"write {' and '.join(HITS)}, or {', '.join(TURNAROUND)}, or all of them",
        )  # fmt: skip
    measured_on = day(entry.get("measured_on"), place, "measured_on")
    if measured_on is None:
        raise refusal(
            place, "needs `measured_on`", slug="measured-undated",
            hint="the day on which the last of the batches came back, such as 2026-11-22",
        )  # fmt: skip
    return Measured(
        provider=_name(entry, "provider", place),
        model=_name(entry, "model", place),
        hits=_hits(entry, place) if has_hits else None,
        turnaround=_turnaround(entry, place) if has_turnaround else None,
        measured_on=measured_on,
        place=place,
    )


def check_once(entries: Sequence[Measured]) -> None:
    """Errors: `PolicyError` where two entries are about one model."""
    seen = set()
    for entry in entries:
        if entry.names in seen and entry.place:
            raise refusal(
                entry.place, f"{' '.join(entry.names)} is measured twice", slug="measured-twice",
                hint="keep the later entry",
            )  # fmt: skip
        seen.add(entry.names)


def _whole(entry: Mapping[str, Any], group: Sequence[str], place: Place) -> bool:
    """Whether the group is there. Errors: `PolicyError` where only a part of it is."""
    missing = [key for key in group if key not in entry]
    if missing and len(missing) < len(group):
        raise refusal(
            place, f"needs `{missing[0]}` as well", slug="measured-part",
            hint=f"{', '.join(group)} belong together",
        )  # fmt: skip
    return not missing


def _name(entry: Mapping[str, Any], key: str, place: Place) -> str:
    name = text(entry, key, place, "").strip().lower()
    if not name or set("*?[") & set(name):
        raise refusal(
            place.at(key) if key in entry else place,
            f"`{key}` must be one name of the price card", slug="measured-name",
            hint="`llm-audit prices show MODEL` prints the names",
        )  # fmt: skip
    return name


def _hits(entry: Mapping[str, Any], place: Place) -> CacheHits:
    here = place.at("cache_hit_share")
    share = Decimal(str(number(entry["cache_hit_share"], here)))
    if not 0 <= share <= 1 or share != round(share, 2):
        raise refusal(
            here, f"`cache_hit_share` cannot be {shown(entry['cache_hit_share'])}",
            slug="measured-share", hint="it is a share from 0 to 1 with two decimals, such as 0.62",
        )  # fmt: skip
    return CacheHits(share, _count(entry, "requests", LEAST_REQUESTS, place))


def _turnaround(entry: Mapping[str, Any], place: Place) -> Turnaround:
    p90, longest = (_duration(entry, key, place) for key in TURNAROUND[:2])
    if p90 > longest:
        raise refusal(
            place.at("turnaround_max"), "`turnaround_max` is shorter than `turnaround_p90`",
            slug="measured-duration", hint="it is the time of the batch that took longest",
        )  # fmt: skip
    return Turnaround(p90, longest, _count(entry, "batches", LEAST_BATCHES, place))


def _duration(entry: Mapping[str, Any], key: str, place: Place) -> float:
    try:
        return seconds(entry[key])
    except ValueError as error:
        raise refusal(
            place.at(key), f"`{key}` cannot be {shown(entry[key])}: {error}",
            slug="measured-duration", hint=f'write {key} = "40 min"',
        ) from None  # fmt: skip


def _count(entry: Mapping[str, Any], key: str, least: int, place: Place) -> int:
    value = entry[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise refusal(
            place.at(key), f"`{key}` is a whole number, not {shown(value)}", slug="config-number"
        )
    if value < least:
        raise refusal(
            place.at(key), f"`{key}` = {value} is too few to count on", slug="measured-few",
            hint=f"at least {least:,}; leave the measurement out until there are more",
        )  # fmt: skip
    return value
