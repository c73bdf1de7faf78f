"""`make eval`: how good are the labels? Prints the protocol's measures and what they are held to.

    python -m tests.evaluation.run [--shared DIR] [--boot 1000] [--json OUT]

Exit code 1 if a bar is missed, 0 otherwise, also where ../shared is absent and nothing is run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.evaluation.audit import Audit
from tests.evaluation.bars import (
    CALIBRATION_GAP,
    ISSUE,
    Bars,
    Check,
    error_checks,
    recall_checks,
)
from tests.evaluation.protocol import BASELINES, COPIES, Bucket, DevelopmentSet, Scored
from tests.evaluation.traces import Caller, negative_control
from tests.support import SHARED

MUST_FAIL = ("always eligible", "always gray")
WARNING = "A development set by one author: it shows the order of versions, not accuracy."


@dataclass(frozen=True)
class CopyResult:
    """Everything measured on one copy of the set."""

    copy: str
    scored: Mapping[str, Scored]
    """By classification: `words on`, `words off`, and the baselines."""
    buckets: Sequence[Bucket]
    errors: Sequence[tuple[str, str, str, int, float]]
    """Flagged but not eligible: caller, workload, true label, calls, dollars."""


@dataclass
class Evaluation:
    """All copies, the negative control, and the verdict."""

    copies: list[CopyResult] = field(default_factory=list)
    control: list[Caller] = field(default_factory=list)
    control_note: str = ""

    def checks(self, bars: Bars = ISSUE) -> list[Check]:
        """Every bar of the issue."""
        checks: list[Check] = []
        for result in self.copies:
            for words in ("words on", "words off"):
                where = f"{result.copy}, {words}"
                measures = result.scored[words].measures
                checks += error_checks(where, measures, bars)
                if words == "words on":
                    checks += recall_checks(where, result.copy, measures["recall"], bars)
            worst = max(result.buckets, key=lambda bucket: _gap(bucket) or 0.0)
            checks.append(
                Check(f"{result.copy}, words on", "calibration: largest gap",
                      f"<= {CALIBRATION_GAP:.2f}", _gap(worst),
                      all(bucket.ok for bucket in result.buckets))
            )  # fmt: skip
            checks += baseline_checks(result, bars)
        hits = sum(caller.hit for caller in self.control)
        checks.append(Check("real traces", "callers flagged", "<= 0", float(hits), hits == 0))
        return checks


def baseline_checks(result: CopyResult, bars: Bars = ISSUE) -> list[Check]:
    """An evaluation that a trivial rule passes is worth nothing."""
    checks = []
    for name in MUST_FAIL:
        measures = result.scored[name].measures
        own = error_checks(name, measures, bars)
        own += recall_checks(name, result.copy, measures["recall"], bars)
        missed = sum(not check.ok for check in own)
        checks.append(
            Check(result.copy, f"{name} must miss bars", ">= 1", float(missed), missed > 0)
        )
    return checks


def evaluate_copy(
    development: DevelopmentSet,
    copy: str,
    folder: Path,
    *,
    boot: int = 0,
    baselines: Iterable[str] = tuple(BASELINES),
) -> CopyResult:
    """Ingest one copy, label it with and without words, score both and the baselines."""
    audit = development.audit(copy, folder)
    scored = {"words off": development.score_audit(audit, audit.report(words=False), boot=boot)}
    scored["words on"] = development.score_audit(audit, audit.report(words=True), boot=boot)
    for name in baselines:
        scored[name] = development.score_baseline(audit, BASELINES[name], boot=boot)
    return CopyResult(copy, scored, development.calibration(audit), _errors(development, audit))


def _errors(development: DevelopmentSet, audit: Audit) -> list[Any]:
    return audit.query(
        f"""SELECT t.caller, t.workload, t.label, count(*), sum(t.usd)
        FROM labels AS l INNER JOIN '{development.labels}' AS t USING (call_id)
        WHERE l.label = 'batch_eligible' AND t.label <> 'batch_eligible'
        GROUP BY ALL ORDER BY t.label DESC, sum(t.usd) DESC, t.workload"""
    )


def evaluate(shared: Path, workdir: Path, *, boot: int = 0) -> Evaluation:
    """The whole evaluation."""
    evaluation = Evaluation()
    development = DevelopmentSet(shared / "eval")
    for copy in COPIES:
        _say(f"auditing the {copy} copy")
        evaluation.copies.append(
            evaluate_copy(development, copy, workdir / COPIES[copy], boot=boot)
        )
    _say("auditing real traces")
    evaluation.control, evaluation.control_note = negative_control(
        shared / "traces", workdir / "traces"
    )
    return evaluation


# --- printing ------------------------------------------------------------------------------------

_COLUMNS = {
    "precision": "precision",
    "hard_error": "hard",
    "soft_error": "soft",
    "recall": "recall",
    "recall_saveable": "saveable",
    "over_claim": "claim",
}


def text(evaluation: Evaluation, checks: Sequence[Check]) -> str:
    """The tables."""
    parts = [WARNING]
    for result in evaluation.copies:
        parts += ["", *_copy_table(result), "", *_bucket_table(result), *_error_table(result)]
    parts += ["", *_control_table(evaluation), "", *_check_table(checks)]
    return "\n".join(line.rstrip() for line in parts)


def _copy_table(result: CopyResult) -> list[str]:
    first = result.scored["words on"]
    heads = "".join(f"{head:>20}" for head in _COLUMNS.values())
    lines = [
        f"== {result.copy} copy: dollars, with 90 % intervals by caller "
        f"({first.measures['callers']} callers, {first.missing} calls without a label)",
        f"{'classification':<18}{heads}{'realtime hit':>14}{'gray hit':>10}{'gray $':>8}",
    ]
    for name, scored in result.scored.items():
        m = scored.measures
        cells = "".join(f"{_with_interval(scored, key):>20}" for key in _COLUMNS)
        hits = f"{m['callers_hit_realtime']} of {m['callers_with_realtime']}"
        gray = f"{m['callers_hit_gray']} of {m['callers_with_gray']}"
        lines.append(f"{name:<18}{cells}{hits:>14}{gray:>10}{m['gray_share_usd']:>8.1%}")
    return lines


def _with_interval(scored: Scored, key: str) -> str:
    value = scored.measures[key]
    if value is None:
        return "-"
    shown = f"{value:.2f}" if key == "over_claim" else f"{100 * value:.1f}"
    if key not in scored.intervals:
        return shown
    scale, digits = (1, 2) if key == "over_claim" else (100, 1)
    low, high = (f"{scale * end:.{digits}f}" for end in scored.intervals[key])
    return f"{shown} [{low}-{high}]"


def _bucket_table(result: CopyResult) -> list[str]:
    lines = [
        f"calibration, {result.copy}: share of each bucket whose predicted label is the true one",
        f"  {'label':<16}{'bucket':<12}{'says':>6}{'by $':>7}{'by calls':>10}{'calls':>8}"
        f"{'callers':>9}{'$':>9}",
    ]
    for b in result.buckets:
        stated = "-" if b.stated is None else f"{b.stated:.2f}"
        usd = "-" if b.right_usd is None else f"{b.right_usd:.2f}"
        verdict = "" if b.ok else "  OFF"
        lines.append(
            f"  {b.label:<16}{b.band:<12}{stated:>6}{usd:>7}{b.right_calls:>10.2f}{b.calls:>8}"
            f"{b.callers:>9}{b.usd:>9.2f}{verdict}"
        )
    return lines


def _error_table(result: CopyResult) -> list[str]:
    lines = ["", f"flagged but not eligible, {result.copy}, words on"]
    for caller, workload, label, calls, usd in result.errors:
        lines.append(f"  {label:<12}{workload:<32}{caller:<24}{calls:>6} calls {usd:>8.2f} USD")
    return lines if result.errors else [*lines, "  none"]


def _control_table(evaluation: Evaluation) -> list[str]:
    lines = [
        "== real traces (people wait; every eligible call is an error)",
        evaluation.control_note,
    ]
    for caller in evaluation.control:
        if caller.hit:
            lines.append(f"  {caller.name:<40}{caller.eligible:>7} of {caller.calls} calls flagged")
    hits = sum(caller.hit for caller in evaluation.control)
    return [*lines, f"  {hits} of {len(evaluation.control)} callers flagged"]


def _check_table(checks: Sequence[Check]) -> list[str]:
    lines = ["== bars", f"{'where':<24}{'what':<30}{'bar':>10}{'value':>10}  ok"]
    for c in checks:
        value = "-" if c.value is None else f"{c.value:.4f}".rstrip("0").rstrip(".")
        lines.append(
            f"{c.where:<24}{c.name:<30}{c.bar:>10}{value:>10}  {'ok' if c.ok else 'MISSED'}"
        )
    missed = sum(not c.ok for c in checks)
    return [*lines, f"{missed} of {len(checks)} bars missed" if missed else "every bar is met"]


def as_json(evaluation: Evaluation, checks: Sequence[Check]) -> dict[str, Any]:
    """Everything that is printed, for `--json`."""
    return {
        "warning": WARNING,
        "copies": [
            {
                "copy": result.copy,
                "classifications": {name: asdict(s) for name, s in result.scored.items()},
                "calibration": [{**asdict(b), "ok": b.ok} for b in result.buckets],
                "flagged_not_eligible": [list(row) for row in result.errors],
            }
            for result in evaluation.copies
        ],
        "real_traces": {
            "note": evaluation.control_note,
            "callers": [{**asdict(caller), "hit": caller.hit} for caller in evaluation.control],
        },
        "bars": [check.as_json() for check in checks],
        "ok": all(check.ok for check in checks),
    }


def _gap(bucket: Bucket) -> float | None:
    return None if bucket.stated is None else abs(bucket.measured - bucket.stated)


def _say(what: str) -> None:
    print(what, "...", file=sys.stderr, flush=True)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Evaluate the labels on the development set.")
    parser.add_argument("--shared", type=Path, default=SHARED, help="the developers' own material")
    parser.add_argument("--boot", type=int, default=1000, help="resamples for the intervals")
    parser.add_argument("--json", type=Path, help="write everything here, too")
    options = parser.parse_args()
    absent = [name for name in ("eval", "traces") if not (options.shared / name).is_dir()]
    if absent:
        print(
            f"skipped: no {' and '.join(absent)} in {options.shared} (the development set is not "
            "part of this repository; LLM_AUDIT_SHARED or --shared names its folder)"
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="llm-audit-eval-") as folder:
        evaluation = evaluate(options.shared.resolve(), Path(folder), boot=options.boot)
    checks = evaluation.checks()
    print(text(evaluation, checks))
    if options.json:
        answer = json.dumps(as_json(evaluation, checks), indent=1)
        options.json.write_text(answer + "\n", encoding="utf-8")
    return 0 if all(check.ok for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
