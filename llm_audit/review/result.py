"""What a review asks, as plain values; `llm-audit review --format json` prints them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Evidence:
    """What the log says about one criterion of the gray calls: sentences, strongest first."""

    criterion: str
    verdict: str
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One gray workload and the question to its owner. Money is USD, of the log's own period.

    `calls`, `effective_cost` (None: no price is known) and `saving_possible` are those of the gray
    calls. `saving_if_yes` is what tolerance alone would add to the batch_eligible saving, and
    `yes_is_enough` whether it makes every gray call eligible; `remarks` say what else there is to
    know. `names` are the globs of the override, and `toml` is that override for a yes.
    """

    workload_id: str
    caller: str
    operation_name: str
    provider_name: str
    model: str
    question: str
    calls: int
    effective_cost: Decimal | None
    saving_possible: Decimal
    saving_if_yes: Decimal
    yes_is_enough: bool
    remarks: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    names: dict[str, str]
    toml: str = ""


@dataclass(frozen=True)
class Answered:
    """A gray workload that an override names already; it is not asked about again."""

    workload_id: str
    caller: str
    answer: str


@dataclass(frozen=True)
class Review:
    """All questions, the dearest yes first. `file` is where answers are written."""

    schema_version: int
    file: str
    questions: tuple[Question, ...]
    answered: tuple[Answered, ...]
