"""The evaluation protocol on the development set (../shared/eval), scored by its own score.py.

The set was made by one author: it shows the order of versions, not the truth. Its scorer is
imported by path, never copied, so that both sides measure the same thing.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from tests.evaluation.audit import Audit
from tests.evaluation.bars import CALIBRATION_GAP

COPIES = {"full": "logs", "body-less": "logs_nobody"}
"""Names of the two copies of the set, and their folders."""

BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Lower ends of the confidence buckets."""

_OFFLINE = (
    "batch|nightly|job|cron|etl|backfill|bulk|offline|archive|index|pipeline|eval|export|sync|"
    "report|task|sweep|digest|schedul|worker|queue|train"
)

BASELINES = {
    "always eligible": "true",
    "always gray": "false",
    "not streamed": "is_streaming IS NOT TRUE",
    "offline words": "regexp_matches(lower(concat_ws(' ', caller, service_name, team, "
    f"api_key_alias, prompt_name, agent_name, array_to_string(tags, ' '))), '{_OFFLINE}')",
}
"""What anybody could guess: the condition under which a call is called eligible, else gray."""


@dataclass(frozen=True)
class Bucket:
    """Calls of one predicted label and one band of stated confidence."""

    label: str
    band: str
    stated: float | None
    calls: int
    callers: int
    usd: float
    right_usd: float | None
    right_calls: float

    @property
    def measured(self) -> float:
        """Precision of the predicted label in dollars; in calls where the bucket cost nothing."""
        return self.right_calls if self.right_usd is None else self.right_usd

    @property
    def ok(self) -> bool:
        """What is stated lies near what is measured; an unproven bucket states nothing."""
        return self.stated is None or abs(self.measured - self.stated) <= CALIBRATION_GAP


@dataclass(frozen=True)
class Scored:
    """The protocol's measures of one classification, with 90 % intervals by caller."""

    measures: Mapping[str, Any]
    intervals: Mapping[str, tuple[float, float]]
    missing: int


class DevelopmentSet:
    """The labelled set in `folder`, and its scorer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.labels = folder / "labels.parquet"
        self._scorer = _module(folder / "score.py")

    def audit(self, copy: str, folder: Path) -> Audit:
        """Ingest one copy; labels come with `report`."""
        folder.mkdir(parents=True)
        audit = Audit(folder)
        audit.ingest(self.folder / COPIES[copy])
        return audit

    def score(self, predictions: Path, *, boot: int) -> Scored:
        """Score a Parquet file of call_id, label, saving_usd."""
        rows, has_saving, unknown, bad = self._scorer.load(str(predictions), str(self.labels))
        if unknown or bad:
            raise ValueError(f"{predictions}: {unknown} unknown calls, {bad} unknown labels")
        measures, intervals = self._scorer.score(rows, has_saving, boot)
        return Scored(measures, intervals, sum(row[5] for row in rows))

    def score_audit(self, audit: Audit, report: Mapping[str, Any], *, boot: int = 0) -> Scored:
        """Score the labels in the audit's database against the saving its report claims."""
        out = audit.folder / "predictions.parquet"
        with _reading(audit) as connection:
            connection.execute(f"COPY ({_PREDICTIONS}) TO '{out}' (FORMAT parquet)")
            claimed = connection.execute(f"SELECT sum(saving_usd) FROM '{out}'").fetchall()[0][0]
        headline = Decimal(str(report["savings"]["observed"]["conservative"]))
        if abs(Decimal(claimed or 0) - headline) > Decimal("0.000001"):
            raise AssertionError(f"the calls claim {claimed} USD, the report {headline}")
        return self.score(out, boot=boot)

    def score_baseline(self, audit: Audit, condition: str, *, boot: int = 0) -> Scored:
        """Score a trivial rule on the calls of an audit; it claims what a batch would save."""
        out = audit.folder / "baseline.parquet"
        with _reading(audit) as connection:
            connection.execute(f"CREATE TEMP VIEW truth AS SELECT call_id FROM '{self.labels}'")
            query = _BASELINE.format(condition=condition)
            connection.execute(f"COPY ({query}) TO '{out}' (FORMAT parquet)")
        return self.score(out, boot=boot)

    def calibration(self, audit: Audit) -> list[Bucket]:
        """Stated confidence against measured precision, per predicted label and band.

        A label without a confidence (NULL) says "unproven".
        """
        with _reading(audit) as connection:
            rows = connection.execute(
                f"""SELECT l.label, CAST(l.confidence AS DOUBLE), t.caller, t.usd, t.label = l.label
                FROM labels AS l INNER JOIN '{self.labels}' AS t USING (call_id)"""
            ).fetchall()
        groups = defaultdict(list)
        for label, confidence, caller, usd, right in rows:
            groups[label, band_of(confidence)].append((confidence, caller, usd, right))
        return [_bucket(*key, groups[key]) for key in sorted(groups)]


_PREDICTIONS = """
SELECT
  labels.call_id,
  labels.label,
  CASE WHEN labels.label = 'batch_eligible' AND savings.worth_it AND savings.saving_conservative > 0
    THEN costs.effective_cost - coalesce(costs.batch_cost_conservative, costs.effective_cost)
    ELSE 0 END AS saving_usd
FROM labels
INNER JOIN costs ON labels.call_id = costs.call_id
INNER JOIN savings
  ON labels.workload_id = savings.workload_id AND labels.label = savings.label
"""
# The headline call by call: the report nets dear and cheap calls within a workload, so a call whose
# cache makes it cheaper than a batch claims a negative amount. Only so do calls add up to it.

_BASELINE = """
SELECT
  truth.call_id,
  CASE WHEN {condition} THEN 'batch_eligible' ELSE 'gray_area' END AS label,
  coalesce(greatest(costs.effective_cost - costs.batch_cost_conservative, 0), 0) AS saving_usd
FROM truth
LEFT JOIN calls ON truth.call_id = calls.call_id
LEFT JOIN costs ON truth.call_id = costs.call_id
"""


def band_of(confidence: float | None) -> str:
    """The bucket of a stated confidence."""
    if confidence is None:
        return "unproven"
    lower = max((band for band in BANDS if band <= confidence), default=0.0)
    upper = min((band for band in BANDS if band > confidence), default=1.0)
    return f"{lower:.2f}-{upper:.2f}"


def _bucket(label: str, band: str, rows: Sequence[tuple[Any, ...]]) -> Bucket:
    usd = sum(row[2] for row in rows)
    stated = [row[0] for row in rows if row[0] is not None]
    weights = [row[2] if usd else 1.0 for row in rows if row[0] is not None]
    return Bucket(
        label=label,
        band=band,
        stated=sum(s * w for s, w in zip(stated, weights, strict=True)) / sum(weights)
        if stated
        else None,
        calls=len(rows),
        callers=len({row[1] for row in rows}),
        usd=usd,
        right_usd=sum(row[2] for row in rows if row[3]) / usd if usd else None,
        right_calls=sum(1 for row in rows if row[3]) / len(rows),
    )


def _reading(audit: Audit) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(audit.database), read_only=True)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("development_set_score", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
