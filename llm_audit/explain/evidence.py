"""The rules that fired on a case, criterion by criterion, with their sentences filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from llm_audit.explain.result import Criterion, Reason
from llm_audit.explain.rows import Row, query, rows
from llm_audit.schema import CRITERIA

if TYPE_CHECKING:
    import duckdb


def criteria(
    connection: duckdb.DuckDBPyConnection, case_no: int, *, owner: str | None
) -> tuple[Criterion, ...]:
    """The three criteria of a case. owner: the owner's label, if there is one."""
    scores = {
        row["criterion"]: row
        for row in rows(connection, "SELECT * FROM criterion_scores WHERE case_no = ?", [case_no])
    }
    texts = {
        row["name"]: row["text"]
        for row in rows(connection, "SELECT * FROM signal_texts WHERE case_no = ?", [case_no])
    }
    hits = rows(connection, query("hits"), {"case_no": case_no})
    return tuple(
        _criterion(
            scores[name],
            [hit for hit in hits if hit["criterion"] == name],
            texts,
            owner=owner is not None and (owner != "realtime" or name == "tolerance"),
        )
        for name in CRITERIA
    )


def _criterion(
    score: Row, hits: Sequence[Row], texts: Mapping[str, str], *, owner: bool
) -> Criterion:
    reasons = [_reason(hit, texts) for hit in hits]
    return Criterion(
        criterion=score["criterion"],
        verdict=score["verdict"],
        score=score["score"],
        settled_by="owner" if owner else _settled_by({reason.kind for reason in reasons}),
        for_batch=tuple(r for r in reasons if r.kind != "note" and r.weight > 0),
        against=tuple(r for r in reasons if r.kind != "note" and r.weight <= 0),
        notes=tuple(r for r in reasons if r.kind == "note"),
    )


def _settled_by(kinds: set[str]) -> str:
    """What decides, in the order of `sql/31_criterion_scores.sql`."""
    for kind in ("declared", "veto"):
        if kind in kinds:
            return kind
    return "evidence" if kinds & {"evidence", "words"} else "nothing"


def _reason(hit: Row, texts: Mapping[str, str]) -> Reason:
    names = [hit[f"name_{place}"] for place in (1, 2, 3)]
    values = ["" if name is None else texts.get(name) or "unknown" for name in names]
    evidence = "".join(
        (hit["text_0"], values[0], hit["text_1"], values[1], hit["text_2"], values[2],
         hit["text_3"])
    )  # fmt: skip
    return Reason(hit["code"], hit["kind"], hit["weight"], evidence, hit["why"], hit["calls"])
