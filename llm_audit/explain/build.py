"""Reads the tables into one `Explanation`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_audit.explain import evidence, money
from llm_audit.explain.changes import VERDICTS, changes, label_with_a_day
from llm_audit.explain.fields import Coverage, Field, coverage
from llm_audit.explain.laboratory import Laboratory, RunSteps
from llm_audit.explain.result import (
    SCHEMA_VERSION,
    Attempt,
    Call,
    Costs,
    Explanation,
    Fact,
    Gap,
    HowTo,
    Judgement,
    Limits,
    ModelName,
    Money,
    OwnersWord,
    Part,
    Reason,
    Sample,
    Who,
    Workload,
)
from llm_audit.explain.rows import Row, query, rows
from llm_audit.explain.target import Target
from llm_audit.policy import Override, Policy
from llm_audit.policy.globs import like_pattern
from llm_audit.prices import catalogue, user
from llm_audit.schema import CALLS

if TYPE_CHECKING:
    import duckdb

_MEANINGS = {column.name: column.meaning for column in CALLS}


def build(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    target: Target,
    *,
    run_steps: RunSteps,
    now: datetime,
    tool_version: str,
    ended: Sequence[Override] = (),
) -> Explanation:
    """The explanation of `target` (see `target.find`); all steps have run under `policy`.

    run_steps: `pipeline.run_steps`, which judges the made-up cases of "what would change".
    now: when it is made, UTC. ended: overrides that `policy` leaves out because their time is over.
    """
    [meta] = rows(connection, "SELECT * FROM pricing_meta")
    limits = policy.thresholds
    desk = _Desk(connection, policy, run_steps, target, meta)
    return Explanation(
        schema_version=SCHEMA_VERSION,
        tool_version=tool_version,
        generated_at=now.astimezone(UTC).replace(microsecond=0),
        pricing_version=meta["version"],
        as_of=meta["as_of"],
        thresholds=Limits(limits.supported, limits.hinted, limits.contradicted),
        who=desk.who,
        owner=desk.owner(ended),
        workload=desk.workload() if target.call_id is None else None,
        call=desk.call(target.call_id) if target.call_id is not None else None,
    )


class _Desk:
    """What the parts of one explanation share."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        policy: Policy,
        run_steps: RunSteps,
        target: Target,
        meta: Row,
    ) -> None:
        self.connection = connection
        self.target = target
        self.laboratory = Laboratory(policy, run_steps)
        self.who = self._who()
        self.coverage: Coverage = coverage(connection, target.workload_id, self.who.operation_name)
        data = catalogue.read()
        own = user.rows(policy.user_prices, data)
        self.rates = money.Rates(connection, (*data.prices, *own), meta["as_of"])

    def rows(self, text: str, *values: object) -> list[Row]:
        return rows(self.connection, text, values)

    def _who(self) -> Who:
        [row] = self.rows("SELECT * FROM workloads WHERE workload_id = ?", self.target.workload_id)
        return Who(
            **_picked(Who, row)
            | {name: _in_utc(row[name]) for name in ("first_call_at", "last_call_at")}
        )

    def owner(self, ended: Sequence[Override]) -> tuple[OwnersWord, ...]:
        """The override in force for the workload, and those that named it until they ended."""
        places = self.rows(
            "SELECT overrides.position FROM workload_overrides AS overrides "
            "WHERE overrides.place = 1 AND overrides.workload_no = "
            "(SELECT max(workload_no) FROM signals WHERE workload_id = ?)",
            self.target.workload_id,
        )
        in_force = [self.laboratory.policy.overrides[row["position"]] for row in places]
        return (
            *(_word(override, in_force=True) for override in in_force),
            *(_word(override, in_force=False) for override in ended if self._is_named(override)),
        )

    def _is_named(self, override: Override) -> bool:
        globs = {
            "caller_like": override.caller,
            "workload_like": override.workload,
            "model_like": override.model,
            "operation_like": override.operation,
        }
        values = {name: like_pattern(glob) for name, glob in globs.items()}
        values["workload_id"] = self.target.workload_id
        return bool(rows(self.connection, query("named_by_override"), values))

    # --- a workload -----------------------------------------------------------------------------

    def workload(self) -> Workload:
        labels = self.rows(
            "SELECT label, count(*) AS cases, CAST(sum(case_calls) AS BIGINT) AS calls, "
            "arg_max(case_no, (case_calls, -case_no)) AS case_no "
            "FROM case_labels WHERE workload_id = ? GROUP BY label ORDER BY calls DESC, label",
            self.target.workload_id,
        )
        parts = tuple(self._part(row) for row in labels)
        judgements = [part.judgement for part in parts]
        return Workload(parts, self._gaps(judgements), self._samples(), self.names(None))

    def _part(self, row: Row) -> Part:
        workload_id, label = self.target.workload_id, row["label"]
        judgement = self.judgement(row["case_no"])
        shown = {
            reason.code
            for criterion in judgement.criteria
            for reason in (*criterion.for_batch, *criterion.against, *criterion.notes)
        }
        others = self.rows(
            "SELECT rules.code, rules.kind, rules.weight, reasons.evidence, rules.why, "
            "reasons.calls FROM reasons INNER JOIN rules ON rules.code = reasons.code "
            "WHERE workload_id = ? AND label = ? ORDER BY reasons.calls DESC, rules.code",
            workload_id,
            label,
        )
        found = rows(
            self.connection,
            query("workload_cards"),
            {"workload_id": workload_id, "label": label},
        )
        savings = self.rows(
            "SELECT * FROM savings WHERE workload_id = ? AND label = ?", workload_id, label
        )
        return Part(
            label=label,
            calls=row["calls"],
            share=row["calls"] / self.who.calls,
            cases=row["cases"],
            judgement=judgement,
            other_reasons=tuple(Reason(**o) for o in others if o["code"] not in shown),
            money=Money(**_picked(Money, savings[0])) if savings else None,
            cards=money.cards(self.rates, found),
        )

    def _gaps(self, judgements: Sequence[Judgement]) -> tuple[Gap, ...]:
        """What most of the calls do not tell; what the weakest criteria ask for goes first."""
        weak = {c for one in judgements for c in one.weakest if one.label != "realtime"}
        gaps = []
        for fact in self.coverage.missing():
            readers = {
                rule.criterion
                for rule, ways in zip(
                    self.laboratory.policy.rules, self.laboratory.ways, strict=True
                )
                if any(condition.signal in fact.signals for way in ways for condition in way)
            }
            if readers:
                gaps.append(
                    Gap(
                        fact.columns,
                        self.coverage.calls_with(fact),
                        self.coverage.calls,
                        fact.missing,
                        self._how(fact),
                        tuple(sorted(readers)),
                    )
                )
        return tuple(sorted(gaps, key=lambda gap: not weak & set(gap.criteria)))

    def _how(self, fact: Field) -> tuple[HowTo, ...]:
        with_fact = self.coverage.with_fact[fact]
        return tuple(
            HowTo(name, calls - with_fact[name], fact.how.get(name, fact.action))
            for name, calls in self.coverage.formats.items()
            if with_fact[name] < calls
        )

    def _samples(self) -> tuple[Sample, ...]:
        found = rows(self.connection, query("samples"), {"workload_id": self.target.workload_id})
        return tuple(
            Sample(
                **row | {"started_at": _in_utc(row["started_at"])},
                effective_cost=self._costs(row["call_id"]).effective_cost,
            )
            for row in found
        )

    # --- a call ---------------------------------------------------------------------------------

    def call(self, call_id: str) -> Call:
        [row, *_] = self.rows(
            "SELECT * FROM calls WHERE call_id = ? ORDER BY source_file, source_line", call_id
        )
        [case, *_] = self.rows("SELECT case_no FROM call_cases WHERE call_id = ?", call_id)
        found = rows(self.connection, query("call_card"), {"call_id": call_id})
        [card, *_] = money.cards(self.rates, found)
        [name, *_] = self.names(call_id)
        judgement = self.judgement(case["case_no"])
        return Call(
            call_id=call_id,
            source_file=row["source_file"],
            source_line=row["source_line"],
            source_format=row["source_format"],
            row=tuple(
                Fact(column, _plain(value), _MEANINGS.get(column, ""))
                for column, value in row.items()
                if value is not None and column not in ("call_id", "source_file", "source_line")
            ),
            judgement=judgement,
            gaps=self._gaps([judgement]),
            attempts=self._attempts(call_id),
            name=name,
            card=card,
            costs=self._costs(call_id),
        )

    def _attempts(self, call_id: str) -> tuple[Attempt, ...]:
        found = rows(self.connection, query("attempts"), {"call_id": call_id})
        return tuple(Attempt(**r | {"started_at": _in_utc(r["started_at"])}) for r in found)

    def _costs(self, call_id: str) -> Costs:
        [row, *_] = self.rows("SELECT * FROM costs WHERE call_id = ?", call_id)
        return Costs(**_picked(Costs, row))

    # --- both -----------------------------------------------------------------------------------

    def names(self, call_id: str | None) -> tuple[ModelName, ...]:
        values = {"workload_id": self.target.workload_id, "call_id": call_id}
        return tuple(ModelName(**row) for row in rows(self.connection, query("names"), values))

    def judgement(self, case_no: int) -> Judgement:
        [case] = self.rows("SELECT * FROM case_labels WHERE case_no = ?", case_no)
        [signals] = self.rows("SELECT * FROM signals WHERE case_no = ?", case_no)
        criteria = evidence.criteria(self.connection, case_no, owner=signals["override_label"])
        lowest = min(VERDICTS.index(criterion.verdict) for criterion in criteria)
        found, together = changes(self.connection, self.laboratory, signals, self.coverage)
        return Judgement(
            case_no=case_no,
            case_calls=case["case_calls"],
            label=case["label"],
            score=case["score"],
            confidence=case["confidence"],
            deadline_risk=case["deadline_risk"],
            in_batch=signals["service_tier"] == "batch",
            label_with_a_day=label_with_a_day(self.connection, self.laboratory, signals),
            weakest=tuple(c.criterion for c in criteria if VERDICTS.index(c.verdict) == lowest),
            criteria=criteria,
            changes=found,
            together=together,
        )


def _word(override: Override, *, in_force: bool) -> OwnersWord:
    return OwnersWord(
        in_force,
        override.label,
        override.tolerance_s,
        override.because,
        override.by,
        override.until,
        override.names,
    )


def _picked(kind: type, row: Row) -> dict[str, Any]:
    """The fields of `kind` out of a row that may have more."""
    return {name: row[name] for name in kind.__annotations__}


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)


def _plain(value: object) -> str:
    """A value of the row as text: exact, times in UTC."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)
