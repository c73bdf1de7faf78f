"""What a migration has shown, in sentences: for the page, the comment and the terminal alike."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report import wording
from llm_audit.report.figures import Figure, Lasting, figure, percent, share
from llm_audit.report.notices import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_audit.report.migrated import Counted, Migration
    from llm_audit.report.result import Result

TITLE = "What a migration has shown"
MOST_RUNS = 5

CHECKS = {
    "finish": "ended by themselves",
    "not_refused": "are not refused",
    "non_empty": "are not empty",
    "json_valid": "are JSON where asked for",
    "json_schema": "fit their JSON schema",
    "tool_names": "call a tool",
    "tool_arguments": "fit their tool's schema",
    "vectors": "are vectors",
}
"""What answers that pass a check do."""

TEXTS = {
    "same_text": "Logged beside batch, all pairs",
    "noise.logged": "Noise floor: logged beside logged",
    "noise.batch": "Sent twice: batch beside batch",
    "noise.across": "Sent twice: logged beside batch",
}
"""The comparisons of texts, by their key below `migration`."""

TOKENS = {
    "input": "Fresh input",
    "cached_input": "Cached input",
    "cache_write_5m": "Cache writes, 5 minutes",
    "cache_write_1h": "Cache writes, 1 hour",
    "output": "Output",
}


def basis(found: Migration) -> str:
    """When it was found, by what, and of which runs."""
    when = f"{found.verified_at:%Y-%m-%d %H:%M} UTC by llm-audit {found.tool_version}"
    named = ", ".join(found.runs[:MOST_RUNS])
    if len(found.runs) > MOST_RUNS:
        named += " and others"
    runs = f"all runs so far ({named})" if found.all_runs else f"run {named} alone, no other run"
    return f"Verified on {when}, of {runs}. What came later is not in it."


def short(result: Result) -> Sentence:
    """The one line of the first screen; nothing without a migration."""
    found = result.migration
    if found is None:
        return ()
    start = (
        "Measured in a migration of ",
        *_counted(result, "migration.requests", "request"),
        ": ",
    )
    delivered = (*_rate(result, "migration.answered"), " answered")
    if not found.cost.priced_requests:
        return (*start, *delivered, ", none with a known batch price.")
    if not found.cost.prompts_alike:
        return (*start, *delivered, f"; {_OTHERWISE}.")
    return (*start, *delivered, ", ", *_saved(result, found), ".")


def sentences(result: Result) -> Iterator[Sentence]:
    """Delivery, cost, times, structure, texts and cache, each in a sentence or two."""
    found = result.migration
    if found is None:
        return
    yield _delivery(result, found)
    yield _cost(result, found)
    yield from _otherwise(result, found)
    yield from _times(result, found)
    yield from _structure(result, found)
    yield _texts(result, found)
    yield from _noise(result, found)
    yield from _cache(result, found)


def unproven(result: Result) -> Iterator[Sentence]:
    """What nobody may take for shown."""
    found = result.migration
    if found is None:
        return
    yield (
        "The replay bought these answers a second time: it shows what a batch costs, and nothing "
        "that was paid comes back.",
    )
    yield (
        "Nobody judged whether the new answers are as good: letters, fields and endings were "
        "compared.",
    )
    yield ("Later batches may take longer: the vendors promise their window alone.",)
    yield ("Workloads, models and prompts that were not replayed may behave otherwise.",)
    if found.answered.count < found.answered.of:
        yield ("Requests without an answer are in no cost and no comparison.",)
    if found.cost.unpriced_requests:
        unpriced = _counted(result, "migration.cost.unpriced_requests", "answered request")
        yield (*unpriced, " without a batch rate: in no amount here.")
    if found.not_compared:
        reasons = _named(result, "migration.not_compared", found.not_compared)
        yield ("Answers whose texts could not be held against the log: ", *reasons, ".")


def _delivery(result: Result, found: Migration) -> Sentence:
    requests = _counted(result, "migration.requests", "request")
    batches = _counted(result, "migration.batches", "batch", "batches")
    said: Sentence = (
        *requests,
        " replayed in ",
        *batches,
        " that ended: ",
        *_rate(result, "migration.answered"),
        " answered.",
    )
    if found.expired.of:
        said += (
            " Of ",
            *_counted(result, "migration.expired.of", "row"),
            " that came back, second tries included, ",
            figure(result, "migration.expired.count"),
            " expired and ",
            figure(result, "migration.failed.count"),
            " failed.",
        )
    if found.one_end.count < found.one_end.of:
        said += (" Settled, and exactly once: ", *_rate(result, "migration.one_end"), ".")
    if found.same_model.count < found.same_model.of:
        said += (" Answered by the model asked for: ", *_rate(result, "migration.same_model"), ".")
    return said


def _cost(result: Result, found: Migration) -> Sentence:
    if not found.cost.priced_requests:
        return ("No answered request has a batch rate, so no cost was measured.",)
    answered = _counted(result, "migration.cost.priced_requests", "answered request")
    return (
        *answered,
        " with a batch rate cost ",
        figure(result, "migration.cost.sync_cost"),
        " as logged. The conservative claim for a batch, no cache hit counted, was ",
        figure(result, "migration.cost.claimed_cost"),
        "; measured, from the vendor's own token counts, it is ",
        figure(result, "migration.cost.measured_cost"),
        *((": ", *_saved(result, found)) if found.cost.prompts_alike else ()),
        ".",
    )


_OTHERWISE = (
    "the prompts were not counted alike (other images, tools or counting): what a batch would have "
    "saved cannot be told from this"
)


def _otherwise(result: Result, found: Migration) -> Iterator[Sentence]:
    """Why no saving is told."""
    if found.cost.priced_requests and not found.cost.prompts_alike:
        equal = _rate(result, "migration.cost.prompt_equal")
        yield (f"! {_OTHERWISE}. As many prompt tokens as logged: ", *equal, ".")


def _saved(result: Result, found: Migration) -> Sentence:
    """What a batch in place of the logged calls would have saved, beside the promise."""
    measured, claimed = found.cost.measured_saving, found.cost.claimed_saving
    said: Sentence = (
        "a batch then would have saved ",
        figure(result, "migration.cost.measured_saving"),
        " where ",
        figure(result, "migration.cost.claimed_saving"),
        " was promised",
    )
    if measured is None or min(measured, claimed) <= Decimal(0):
        return said
    part = share(measured, claimed)
    return (*said, f" ({percent(part)} of the promise)")


def _times(result: Result, found: Migration) -> Iterator[Sentence]:
    if not found.turnaround:
        yield ("No batch has ended yet, so no time was measured.",)
    for place, times in enumerate(found.turnaround):
        key = f"migration.turnaround.{place}"
        half, most, whole = (
            Lasting(f"{key}.{name}", getattr(times, name)) for name in ("p50_s", "p90_s", "max_s")
        )
        spread = ("half within ", half, ", nine of ten within ", most, ", all within ", whole)
        yield (
            f"Turnaround at {wording.provider(times.vendor)}, of ",
            *_counted(result, f"{key}.batches", "batch", "batches"),
            ": ",
            *(spread if times.batches > 1 else (whole,)),
            ".",
        )


def _structure(result: Result, found: Migration) -> Iterator[Sentence]:
    """The same finish reason, then each check beside what the logged answers are."""
    others: list[str | Figure | Lasting] = []
    for place, check in enumerate(found.checks):
        key = f"migration.checks.{place}"
        if check.name == "finish":
            alike = _of(result, f"{key}.same", f"{key}.of")
            yield ("Same finish reason as logged: ", *alike, ".")
        if check.name not in CHECKS:
            continue
        others += [
            "; " if others else "Of the new answers, ",
            *_of(result, f"{key}.batch", f"{key}.of"),
            f" {CHECKS[check.name]} (logged: ",
            figure(result, f"{key}.logged"),
            ")",
        ]
    if others:
        yield (*others, ".")


def _texts(result: Result, found: Migration) -> Sentence:
    if not found.same_text.of:
        return ("No pair of texts could be compared.",)
    said: Sentence = ("Same text as logged: ", *_rate(result, "migration.same_text"), "")
    if found.same_json.of:
        said += ("; same JSON document: ", *_rate(result, "migration.same_json"))
        said += ("; same JSON fields: ", *_rate(result, "migration.same_fields"))
    return (*said, ".")


def _noise(result: Result, found: Migration) -> Iterator[Sentence]:
    if not found.same_text.of:
        return
    if found.noise is None:
        yield (
            "No noise floor was measured: no request was sent twice, so nothing tells how much of "
            "the difference is chance.",
        )
        return
    yield (
        "By chance alone, the noise floor, two logged answers to one request are the same in ",
        *_rate(result, "migration.noise.logged"),
        "; a logged and a batch answer to those requests in ",
        *_rate(result, "migration.noise.across"),
        ".",
    )


def _cache(result: Result, found: Migration) -> Iterator[Sentence]:
    if not found.cost.cached_measured.of:
        return
    yield (
        "Input tokens from the cache: ",
        *_rate(result, "migration.cost.cached_measured"),
        " in the batches, ",
        *_rate(result, "migration.cost.cached_logged"),
        " as logged.",
    )


def _counted(result: Result, key: str, noun: str, nouns: str = "") -> Sentence:
    """'1 request', '2 requests'."""
    found = figure(result, key)
    return found, f" {noun if found.value == 1 else nouns or noun + 's'}"


def _rate(result: Result, key: str) -> Sentence:
    return _of(result, f"{key}.count", f"{key}.of")


def _of(result: Result, part: str, whole: str) -> Sentence:
    """'119 of 120 (over 99%)'; of nothing no percentage."""
    some, all_ = figure(result, part), figure(result, whole)
    if not all_.value:
        return some, " of ", all_
    return some, " of ", all_, f" ({percent(share(some.value or 0, all_.value))})"


def _named(result: Result, key: str, counted: Iterable[Counted]) -> Sentence:
    """'3 (source changed), 1 (not found)'."""
    parts: list[str | Figure | Lasting] = []
    for place, each in enumerate(counted):
        found = figure(result, f"{key}.{place}.number")
        parts += [", " if parts else "", found, f" ({each.name.replace('_', ' ')})"]
    return tuple(parts)
