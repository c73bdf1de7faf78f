"""A verification as text for a terminal: every rate with its counts."""

from __future__ import annotations

from decimal import Decimal

from llm_audit.migrate.layout import NARROWEST, Column, count, table, usd
from llm_audit.migrate.verification import Noise, Share, Verification
from llm_audit.text import cells, printable, wrapped

_SHOWN = 20

_MANY = 10
"""Batches of which nine tenths mean something."""

_CHECKS = {
    "finish": "ended by itself / same reason",
    "not_refused": "not refused",
    "non_empty": "not empty",
    "vectors": "vectors / same sizes",
    "tool_names": "calls a tool / same tools",
    "tool_arguments": "arguments fit the tool's schema",
    "json_valid": "JSON where asked for",
    "json_schema": "fits the schema / same keys",
}


def text(result: Verification, width: int = 100, *, can_write: bool = False) -> str:
    """All layers, in their order; no line is wider than `width` where names and figures allow.

    can_write: something was measured well enough for --write-policy, which was not given.
    """
    width = max(width, NARROWEST)
    if not result.delivery.requests:
        return "Nothing to verify: no request is in the ledger."
    parts = [
        _fitted(_delivery(result), width),
        _structure(result, width),
        _cost(result, width),
        _fitted(_times(result), width),
        _fitted(_agreement(result), width),
        _fitted(_noise(result.noise), width),
        _unread(result, width),
        _workloads(result, width),
        _fitted(_samples(result), width),
        _fitted(_policy(result, can_write), width),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _fitted(lines: list[str], width: int) -> list[str]:
    """The lines, those that are too long broken; what goes on stands further in."""
    fitted: list[str] = []
    for line in (printable(text, 2000) for text in lines):
        if cells(line) <= width:
            fitted.append(line)
            continue
        margin = " " * (len(line) - len(line.lstrip()))
        first, *more = wrapped(line.strip(), width - len(margin), 4)
        fitted += [margin + first, *(margin + rest for rest in more)]
    return fitted


def share(value: Share) -> str:
    """'97.5 % (39 of 40)'; of nothing, '-'."""
    if value.part is None:
        return "-"
    # A rate that is not whole must not look it: 99.96 % is not 100 %.
    percent = 100 * value.part
    shown = f"{percent:.1f}"
    if shown in ("0.0", "100.0") and 0 < value.count < value.of:
        shown = f"{'<' if shown == '0.0' else '>'}{'0.1' if shown == '0.0' else '99.9'}"
    return f"{shown} % ({value.count:,} of {value.of:,})"


def duration(seconds: float) -> str:
    """'45 s', '7.5 min', '3.2 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _delivery(result: Verification) -> list[str]:
    found = result.delivery
    lines = [
        f"Verified {count(found.requests, 'request')} of {count(len(result.runs), 'run')}.",
        "",
        "Delivery",
        f"  answered                     {share(found.answered)}",
        f"  exactly one end              {share(found.one_end)}",
        f"  of the model asked for       {share(found.model_family)}",
        f"  expired, of all rows         {share(result.failures.expired)}",
        f"  failed, of all rows          {share(result.failures.errors)}",
    ]
    others = {state: n for state, n in found.states.items() if state != "succeeded"}
    for title, numbers in (
        ("not plain successes", others),
        ("codes of failed rows", result.failures.codes),
        ("lines of no request", found.odd_lines),
    ):
        if numbers:
            words = ", ".join(f"{n:,} {name}" for name, n in list(numbers.items())[:_SHOWN])
            lines.append(f"  {title:28} {words}")
    for drift in found.drift[:_SHOWN]:
        lines.append(f"  {drift.requests:,} logged with {drift.logged}: now {drift.answered}")
    return lines


def _structure(result: Verification, width: int) -> list[str]:
    if not result.structure:
        return []
    lines = [
        (
            f"  {_CHECKS.get(check.name, check.name)}",
            share(Share(check.logged, check.of)),
            share(Share(check.batch, check.of)),
            share(Share(check.same, check.of)),
        )
        for check in result.structure
    ]
    heads = (Column("Structure"), Column("logged"), Column("batch"), Column("alike"))
    return table(heads, lines, width)


def _cost(result: Verification, width: int) -> list[str]:
    cost = result.cost
    if not cost.requests:
        return ["Cost: no answered request has a price."]
    lines = [
        (
            f"  {line.kind}",
            f"{line.claimed_tokens:,}",
            f"{line.measured_tokens:,}",
            usd(line.claimed_cost),
            usd(line.measured_cost),
        )
        for line in cost.lines
    ]
    if cost.other_claimed:
        lines.append(("  other", "", "", usd(cost.other_claimed), ""))
    lines.append(("  all", "", "", usd(cost.claimed_cost), usd(cost.measured_cost)))
    if cost.measured_saving is not None:
        saving = (usd(cost.claimed_saving), usd(cost.measured_saving))
        lines.append(("  would have saved", "", "", *saving))
    heads = (
        Column("Cost"),
        Column("tokens logged", right=True, drop=2),
        Column("measured", right=True, drop=1),
        Column("claimed", right=True),
        Column("measured", right=True),
    )
    more = [
        f"  of {count(cost.requests, 'answered request')}: {usd(cost.sync_cost)} was paid when "
        f"they were logged, and {usd(cost.measured_cost)} again for this proof",
        "  claimed is the report's conservative figure",
        f"  prompt tokens equal          {share(cost.prompt_equal)}",
    ]
    if not cost.prompts_alike:
        more.append(
            "  ! the prompts were not counted alike (other images, tools or counting): what a "
            "batch would have saved cannot be told from this"
        )
    more += [
        f"  cached input, logged         {share(cost.cached_logged)}",
        f"  cached input, in the batch   {share(cost.cached_measured)}",
    ]
    if ratio := cost.output_ratio:
        more.append(
            f"  output tokens, new / logged  p10 {ratio.p10:.2f}, p50 {ratio.p50:.2f}, "
            f"p90 {ratio.p90:.2f}, max {ratio.max:.2f}"
        )
    if cost.unpriced:
        more.append(f"  without a price or a usage   {cost.unpriced:,}")
    more += [f"  {gap}" for gap in result.usage_gaps]
    return [*table(heads, lines, width), *_fitted(more, width)]


def _times(result: Verification) -> list[str]:
    if not result.turnaround:
        return ["Turnaround: no batch has ended yet."]
    return [
        "Turnaround",
        *(
            f"  {each.vendor:10} {count(each.seconds.of, 'batch', 'batches')}: "
            f"p50 {duration(each.seconds.p50)}, p90 {duration(each.seconds.p90)}, "
            f"max {duration(each.seconds.max)}"
            for each in result.turnaround
        ),
    ]


def _agreement(result: Verification) -> list[str]:
    found = result.text
    if not found.exact.of:
        return ["Text: no pair of answers to compare."]
    lines = ["Text", f"  same text, white space apart {share(found.exact)}"]
    if found.json_documents.of:
        lines.append(f"  same JSON document           {share(found.json_documents)}")
        lines.append(f"  same JSON fields             {share(found.json_fields)}")
    for labels in found.labels[:_SHOWN]:
        kappa = "not defined" if labels.kappa is None else f"{labels.kappa:.2f}"
        lines.append(f"  same label, {labels.workload_id}: {share(labels.same)}, kappa {kappa}")
    if alike := found.similarity:
        lines.append(
            f"  similarity (0 to 1)          p10 {alike.p10:.2f}, p50 {alike.p50:.2f}, "
            f"p90 {alike.p90:.2f}"
        )
    return lines


def _noise(noise: Noise | None) -> list[str]:
    if noise is None:
        return [
            "No noise floor measured: no request was sent twice, so nothing says how far two "
            "answers of the same kind are apart."
        ]
    rows = (
        ("logged beside logged", noise.logged, noise.logged_similarity),
        ("batch beside batch", noise.batch, noise.batch_similarity),
        ("logged beside batch", noise.across, noise.across_similarity),
    )
    return [
        f"Noise floor, of {count(noise.across.of, 'request')} sent twice word for word: same text",
        *(f"  {name:28} {share(same)}, similarity p50 {p50:.2f}" for name, same, p50 in rows),
    ]


def _unread(result: Verification, width: int) -> list[str]:
    if not result.unread:
        return []
    lines = [(f"{line.requests:,}", line.reason, line.detail) for line in result.unread]
    heads = (
        Column("requests", right=True),
        Column("reason", drop=1),
        Column("because", wraps=True),
    )
    return ["Answers not compared", *table(heads, lines, width)]


def _workloads(result: Verification, width: int) -> list[str]:
    lines = [
        (
            w.workload_id,
            f"{w.answered:,} of {w.requests:,}",
            usd(w.claimed_cost),
            usd(w.measured_cost),
            share(w.exact),
        )
        for w in result.workloads[:_SHOWN]
    ]
    heads = (
        Column("workload"),
        Column("answered", right=True, drop=1),
        Column("claimed", right=True),
        Column("measured", right=True),
        Column("same text"),
    )
    return table(heads, lines, width)


def _samples(result: Verification) -> list[str]:
    lines: list[str] = []
    for sample in result.samples:
        lines += [
            f"{sample.call_id}: similarity {sample.similarity:.2f}",
            f"  logged: {sample.logged}",
            f"  batch:  {sample.batch}",
        ]
    return ["The least alike", *lines] if lines else []


def _policy(result: Verification, can_write: bool) -> list[str]:
    """What the next audit can use, and how it gets there."""
    if not result.turnaround or not result.cost.cached_measured.of:
        return []
    batches = sum(each.seconds.of for each in result.turnaround)
    if batches < _MANY:
        slowest = max(each.seconds.max for each in result.turnaround)
        back = f"{count(batches, 'batch', 'batches')} back within {duration(slowest)}"
    else:
        slowest = max(each.seconds.p90 for each in result.turnaround)
        back = f"9 of 10 batches back within {duration(slowest)}"
    cached = Decimal(result.cost.cached_measured.count) / result.cost.cached_measured.of
    found = f"Measured here: {back}, {100 * cached:.1f} % of the input cached."
    if not can_write:
        return [found]
    return [
        f"{found} `llm-audit migrate verify --write-policy` writes what is measured well enough "
        "into llm-audit.toml, where the next audit takes it from; its headline goes on counting "
        "with 24 hours and no cache hits."
    ]
