"""What would change a verdict, and what the log leaves out, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_audit.explain.layout import count, wrapped
from llm_audit.explain.text_verdict import label_name

if TYPE_CHECKING:
    from llm_audit.explain.result import Change, Gap, Judgement, OwnersWord

MOST_GAPS = 6


def change_lines(
    judgement: Judgement, workload_id: str, owner: Sequence[OwnersWord], width: int
) -> list[str]:
    """What would change the label, each with how to find out; last, what the owner can do."""
    in_force = [word for word in owner if word.in_force]
    lines = ["", "WHAT WOULD CHANGE IT"]
    if any(word.label for word in in_force):
        return [*lines, *wrapped("The owner has decided; see llm-audit.toml.", width, first="  ")]
    if judgement.in_batch:
        done = "Nothing that matters: these calls are in a batch already."
        return [*lines, *wrapped(done, width, first="  ")]
    for number, change in enumerate(judgement.changes, start=1):
        lines += _change(number, change, judgement, width)
    if not judgement.changes:
        lines += wrapped(_nothing(judgement), width, first="  ")
    if judgement.together:
        numbers = [
            str(place)
            for place, change in enumerate(judgement.changes, start=1)
            if change.code in judgement.together.codes
        ]
        label = label_name(judgement.together.label)
        listed = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
        lines += wrapped(f"{listed} together: {label}.", width, first="  ")
    if judgement.label != "batch_eligible":
        lines += _owner(judgement, workload_id, in_force, width)
    return lines


def _nothing(judgement: Judgement) -> str:
    if judgement.label == "batch_eligible":
        return "Nothing that the log leaves out could turn this label, as far as the rules know."
    return "No single fact that the log leaves out; what is seen speaks too clearly."


def _change(number: int, change: Change, judgement: Judgement, width: int) -> list[str]:
    label = label_name(change.label)
    stays = change.label == judgement.label
    lines = wrapped(
        f"If {change.condition}: {change.criterion} is {change.verdict}, "
        f"{'the label stays' if stays else 'the label becomes'} {label} [{change.code}]",
        width, first=f"  {number}. ",
    )  # fmt: skip
    if change.action:
        lines += wrapped(f"To find out: {change.action}.", width, first="     ")
    return lines


def _owner(
    judgement: Judgement, workload_id: str, in_force: Sequence[OwnersWord], width: int
) -> list[str]:
    """How the owner's word goes into llm-audit.toml, and what it would do."""
    if in_force:
        return wrapped(
            f"The owner's word stands in llm-audit.toml ({in_force[0].names}): the first entry "
            "that names a workload counts, so change that one.",
            width, first="  ",
        )  # fmt: skip
    then = judgement.label_with_a_day
    entry = [
        "    [[override]]",
        f'    workload = "{workload_id}"',
        '    tolerance = "24 h"       # how long a result may take; or label = "realtime"',
        '    because = "who reads the results, and when"',
        '    by = "who says so"',
    ]
    if then == "batch_eligible":
        said = "The owner's word beats the log. In llm-audit.toml, this makes it batch-eligible:"
    else:
        said = (
            'The owner\'s word beats the log. In llm-audit.toml, with tolerance = "24 h" alone the '
            f"label would be {label_name(then)}; a label settles it:"
        )
        entry[2] = '    label = "realtime"       # or "batch_eligible", if nobody waits'
    return [*wrapped(said, width, first="  "), *entry]


def gap_lines(gaps: Sequence[Gap], width: int) -> list[str]:
    """What the log leaves out and what to add to it; facts logged alike stand together."""
    if not gaps:
        return []
    alike: dict[tuple[object, ...], list[Gap]] = {}
    for gap in gaps:
        alike.setdefault(tuple((how.source_format, how.add) for how in gap.how), []).append(gap)
    lines = ["", f"NOT IN THE LOG of these {count(gaps[0].calls, 'call')}, and how to log it"]
    for group in list(alike.values())[:MOST_GAPS]:
        said = "; ".join(
            gap.missing + (f" ({gap.calls_with:,} calls tell)" if gap.calls_with else "")
            for gap in group
        )
        lines += wrapped(said, width, first="  - ", then="    ")
        for how in group[0].how:
            lines += wrapped(f"{how.source_format or 'unknown format'}: {how.add}", width,
                             first="      ", then="        ")  # fmt: skip
    if len(alike) > MOST_GAPS:
        lines.append(f"    and {len(alike) - MOST_GAPS:,} more: --format json")
    return lines
