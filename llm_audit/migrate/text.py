"""A plan as text for a terminal, and the question before it is sent.

Nothing in it reads as if a replay saved anything: it buys answers again that are paid for already.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from urllib.parse import urlsplit

from llm_audit.migrate.candidates import Choice
from llm_audit.migrate.dry_run import DryRun, WorkloadLine
from llm_audit.migrate.layout import NARROWEST, Column, count, joined, moment, size, table, usd
from llm_audit.migrate.openai import KEEP_SECONDS
from llm_audit.migrate.plan import Settings
from llm_audit.text import printable, wrapped

_SHOWN = 40
"""Shards shown one by one; a plan of more says how many there are besides."""

_SAMPLE = 50
"""Requests that are enough to see whether the claim holds."""


@dataclass(frozen=True)
class _Recipient:
    """Who gets the prompts. days: how long they lie there (batch.md 1.1, 1.2)."""

    name: str
    key: str
    address: str
    days: int
    terms: str


_RECIPIENTS = {
    "openai": _Recipient(
        "OpenAI",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        KEEP_SECONDS // 86_400,
        "which deletes prompts and answers after {days} days at the latest; the uploaded prompts "
        "are deleted as soon as their answers are here",
    ),
    "anthropic": _Recipient(
        "Anthropic",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        29,
        "which keeps a batch and its answers for {days} days; zero data retention does not cover "
        "batches",
    ),
}


def text(run: DryRun, width: int = 100, *, is_dry: bool = True, where: Sequence[str] = ()) -> str:
    """What would be sent, for what, by when, to whom; of a dry run also what is left out, and why.

    No line is wider than `width` where names and figures allow. where: the options by which the
    next commands find the same database and policy.
    """
    width = max(width, NARROWEST)
    parts = [_head(run, width, is_dry)]
    if run.shards:
        parts += [_money(run, width, is_dry), _shards(run, width)]
        parts += [_recipients(run, width), _times(run, width)]
    if is_dry:
        parts += [_workloads(run, width), _headline(run, width), _left_out(run, width)]
        parts += [_next(run, width, where), _files(run, width, where)]
    elif run.calls > run.requests:
        left = f"{run.calls - run.requests:,} of {count(run.calls, 'call')}"
        parts.append(wrapped(f"Left out: {left}; --dry-run says why.", width))
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def question(run: DryRun, environment: Mapping[str, str], max_cost: Decimal | None = None) -> str:
    """What a person agrees to: how much goes to whom, how long it lies there, what it costs.

    environment: may name another address than the vendor's own. max_cost: USD, the user's limit.
    """
    cost = f"about {usd(run.batch_cost)} (at most {usd(run.ceiling)})"
    if max_cost is not None and max_cost < run.ceiling:
        cost = f"at most {usd(max_cost)} (all of it: about {usd(run.batch_cost)})"
    return (
        f"Send {count(run.requests, 'prompt')} from your logs to {_names(run, environment)} and "
        f"spend {cost}?"
    )


def _names(run: DryRun, environment: Mapping[str, str]) -> str:
    names = []
    for vendor in _vendors(run):
        one = _RECIPIENTS[vendor]
        host = urlsplit(environment.get(one.address, "").strip()).hostname
        where = f" at {printable(host, 80)}" if host else ""
        names.append(f"{one.name}{where} (kept there for {one.days} days)")
    return joined(names)


def _vendors(run: DryRun) -> list[str]:
    return sorted({shard.vendor for shard in run.shards})


def _head(run: DryRun, width: int, is_dry: bool) -> list[str]:
    if run.shards:
        return wrapped(
            f"{'Dry run' if is_dry else 'Plan'}: {count(run.requests, 'request')} in "
            f"{count(run.batches, 'batch', 'batches')}, "
            f"{count(run.canaries, 'canary', 'canaries')} first."
            f"{' Nothing was sent.' if is_dry else ''}",
            width,
        )
    chosen = "what you chose" if run.narrowed else "this log"
    lines = wrapped(f"Nothing to send: no call of {chosen} is both eligible and replayable.", width)
    return [*lines, *_queue(run, width)]


def _queue(run: DryRun, width: int) -> list[str]:
    if run.queue_tokens is None:
        return []
    return wrapped(
        f"Some calls alone are more than --queue-tokens lets a batch hold; --queue-tokens "
        f"{run.queue_tokens} is the least that takes them all.",
        width,
    )


def _money(run: DryRun, width: int, is_dry: bool) -> list[str]:
    verb = "Sending them buys" if is_dry else "This buys"
    lines = wrapped(
        f"{verb} these answers again: about {usd(run.batch_cost)} more, at most "
        f"{usd(run.ceiling)}, which is what --max-cost counts. The {usd(run.sync_cost)} in the log "
        "is paid already; nothing of it comes back. Had these calls gone in a batch then, they "
        f"would have cost {usd(run.saving)} less.",
        width,
    )
    return [*lines, *_queue(run, width)]


def _shards(run: DryRun, width: int) -> list[str]:
    columns = (
        Column("batch"),
        Column(""),
        Column("endpoint", drop=4),
        Column("model"),
        Column("requests", right=True),
        Column("size", right=True, drop=3),
        Column("input tokens", right=True, drop=2),
        Column("paid then", right=True, drop=1),
        Column("costs now", right=True),
        Column("at most", right=True),
    )
    rows = [
        (
            shard.intent,
            "canary" if shard.canary else "",
            f"{shard.vendor} {shard.endpoint}",
            " ".join((shard.model, *shard.betas)),
            f"{shard.requests:,}",
            size(shard.bytes),
            f"{shard.input_tokens:,}",
            usd(shard.sync_cost),
            usd(shard.batch_cost),
            usd(shard.ceiling),
        )
        for shard in run.shards[:_SHOWN]
    ]
    more = len(run.shards) - _SHOWN
    last = [f"… and {more:,} more (--dry-run --format json has all)"] if more > 0 else []
    return [*table(columns, rows, width), *last]


def _recipients(run: DryRun, width: int) -> list[str]:
    lines = []
    for vendor in _vendors(run):
        one = _RECIPIENTS[vendor]
        number = sum(shard.requests for shard in run.shards if shard.vendor == vendor)
        lines += wrapped(
            f"{count(number, 'prompt')} from your logs {'goes' if number == 1 else 'go'} to the "
            f"account of {one.key} at {one.name}, {one.terms.format(days=one.days)}.",
            width,
        )
    return lines + wrapped(
        "Here, what is sent and the answers lie in .llm-audit/migrate/, in clear text, until you "
        "delete them.",
        width,
    )


def _times(run: DryRun, width: int) -> list[str]:
    hours = round((run.done_by - run.created_at).total_seconds() / 3600)
    waits = (
        f", and the others wait for their canary: {hours} hours in all"
        if hours > run.window_hours
        else ""
    )
    return wrapped(
        f"A batch may take {run.window_hours} hours{waits}. Sent now, all is back by "
        f"{moment(run.done_by)}, or by {moment(run.done_by_with_retry)} where requests expire and "
        "are sent once more; later where the vendor's queue has no room for all of it.",
        width,
    )


def _workloads(run: DryRun, width: int) -> list[str]:
    if not run.workloads:
        return []
    columns = (
        Column("workload"),
        Column("caller"),
        Column("model", drop=1),
        Column("requests", right=True),
        Column("of calls", right=True, drop=2),
        Column("paid then", right=True, drop=3),
        Column("costs now", right=True),
        Column("in report", right=True),
    )
    rows = [
        (
            w.workload_id,
            w.caller,
            w.model,
            f"{w.requests:,}",
            f"{w.calls:,}",
            usd(w.sync_cost),
            usd(w.batch_cost),
            usd(w.headline_saving),
        )
        for w in run.workloads
    ]
    head, *lines = table(columns, rows, width)
    for line, workload in zip(lines, run.workloads, strict=True):
        head += f"\n{line}"
        for remark in wrapped(_remark(workload), width - 4):
            head += f"\n    {remark}"
    return [head]


def _remark(workload: WorkloadLine) -> str:
    if workload.main_reason is None:
        return ""
    return workload.main_reason if workload.requests == 0 else f"rest: {workload.main_reason}"


def _headline(run: DryRun, width: int) -> list[str]:
    """The plan beside the report's figure; nothing beside nothing."""
    if not run.headline_saving:
        return []
    days = f"the {count(run.days, 'day')} of this log" if run.days else "this log"
    monthly = "" if run.headline_monthly is None else f" ({_whole(run.headline_monthly)} a month)"
    missing = any(line.headline_saving for line in run.left_out)
    held = f"{usd(run.saving)} of it" if missing else "all of it"
    here = f"; the calls of this plan stand for {held}" if run.shards else ""
    return wrapped(
        f"The report's conservative saving is {usd(run.headline_saving)} in {days}{monthly}{here}.",
        width,
    )


def _whole(amount: Decimal) -> str:
    """As the report has it: whole dollars from 1,000."""
    return f"${amount:,.0f}" if amount >= 1000 else usd(amount)


def _left_out(run: DryRun, width: int) -> list[str]:
    if not run.left_out:
        return []
    columns = (
        Column("calls", right=True),
        Column("in report", right=True),
        Column("reason", drop=1),
        Column("because", wraps=True),
    )
    rows = [
        (
            f"{line.calls:,}",
            usd(line.headline_saving) if line.headline_saving else "",
            line.reason,
            line.detail,
        )
        for line in run.left_out
    ]
    left = run.calls - run.requests
    return [
        f"Left out: {left:,} of {count(run.calls, 'call')}",
        *table(columns, rows, width),
    ]


def _next(run: DryRun, width: int, where: Sequence[str]) -> list[str]:
    """What to do with it: a cheap proof, which never sends more than it says, and what saves."""
    lines = []
    if run.shards:
        few, choice = run.requests, run.choice
        if few > _SAMPLE and choice.sample is None and choice.limit is None:
            few, choice = _SAMPLE, replace(choice, sample=_SAMPLE)
        cost = usd(run.batch_cost * few / run.requests)
        lines += wrapped(f"To prove it on {count(few, 'call')}, for about {cost}:", width)
        lines.append(_command("migrate", *_planned(run, choice), *where))
        lines.append(_command("migrate verify", *where))
    if any(workload.headline_saving for workload in run.workloads):
        lines += wrapped("To save from now on, scripts by which the jobs use batches:", width)
        lines.append(_command("migrate", *_named(run), "--emit", "DIR", *where))
    return lines


def _files(run: DryRun, width: int, where: Sequence[str]) -> list[str]:
    if run.folder:
        return wrapped(
            f"The files are in {printable(run.folder)}; README.md there says how to submit them by "
            "hand. `llm-audit migrate` does not learn of that, and would buy these answers again.",
            width,
        )
    if not run.shards:
        return []
    words = (*_planned(run, run.choice), "--out", "DIR", *where)
    return [
        "The request files were checked and not kept. To keep them:",
        _command("migrate --dry-run", *words),
    ]


def _command(name: str, *words: str) -> str:
    """A line for a shell: `llm-audit <name>` and its options."""
    quoted = (shlex.quote(printable(word, 4000)) for word in words)
    return " ".join((f"    llm-audit {name}", *quoted))


def _planned(run: DryRun, choice: Choice) -> list[str]:
    """The options that make the plan of this `choice` again."""
    usual, settings = Settings(), run.settings
    numbers = {
        "--sample": choice.sample,
        "--limit": choice.limit,
        "--max-rows": settings.max_rows if settings.max_rows != usual.max_rows else None,
        "--queue-tokens": settings.queue_tokens,
    }
    given = [(name, str(number)) for name, number in numbers.items() if number is not None]
    return [*_named(run), *chain.from_iterable(given)]


def _named(run: DryRun) -> list[str]:
    """The choice of workloads; by their ids where a name cannot be printed as it is."""
    names: Sequence[str] = run.choice.workloads
    if any(printable(name) != name for name in names):
        names = [workload.workload_id for workload in run.workloads]
    return [word for name in names for word in ("--workload", name)]
