"""The development set and the real traces, without the intervals that `make eval` adds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.evaluation.bars import ISSUE, TODAY, Check, error_checks, recall_checks
from tests.evaluation.protocol import COPIES, Bucket, DevelopmentSet, band_of
from tests.evaluation.run import MUST_FAIL, CopyResult, baseline_checks, evaluate_copy
from tests.evaluation.traces import Caller, negative_control
from tests.support import shared


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, CopyResult]:
    development = DevelopmentSet(shared("eval"))
    folder = tmp_path_factory.mktemp("development")
    return {
        copy: evaluate_copy(development, copy, folder / copy, baselines=MUST_FAIL)
        for copy in COPIES
    }


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> list[Caller]:
    callers, _ = negative_control(shared("traces"), tmp_path_factory.mktemp("control") / "audit")
    return callers


def missed(checks: list[Check]) -> list[str]:
    return [
        f"{check.where}: {check.name} {check.value} {check.bar}" for check in checks if not check.ok
    ]


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("words", ["words on", "words off"])
def test_the_errors_stay_within_the_bounds(
    results: Mapping[str, CopyResult], copy: str, words: str
) -> None:
    result = results[copy]
    checks = error_checks(f"{copy}, {words}", result.scored[words].measures)
    errors = list(result.errors) if words == "words on" else []
    assert missed(checks) == [], errors


@pytest.mark.parametrize("copy", COPIES)
def test_recall_does_not_fall(results: Mapping[str, CopyResult], copy: str) -> None:
    recall = results[copy].scored["words on"].measures["recall"]
    assert missed(recall_checks(copy, copy, recall, TODAY)) == []


@pytest.mark.parametrize("copy", COPIES)
def test_trivial_rules_fail_the_same_bars(results: Mapping[str, CopyResult], copy: str) -> None:
    assert missed(baseline_checks(results[copy], ISSUE)) == []
    assert missed(baseline_checks(results[copy], TODAY)) == []


@pytest.mark.parametrize("copy", COPIES)
def test_only_batch_bookkeeping_has_no_label(results: Mapping[str, CopyResult], copy: str) -> None:
    assert results[copy].scored["words on"].missing == 162


def test_no_caller_of_real_traces_is_flagged(control: list[Caller]) -> None:
    """Not without a latency either, and not under a name that sounds like a job."""
    assert len(control) == 34
    assert [caller for caller in control if caller.hit] == []


# --- the yardstick itself ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "band"),
    [(None, "unproven"), (0.5, "0.50-0.60"), (0.899, "0.80-0.90"), (0.95, "0.95-1.00"),
     (1.0, "0.95-1.00"), (0.2, "0.00-0.50")],
)  # fmt: skip
def test_bands(confidence: float | None, band: str) -> None:
    assert band_of(confidence) == band


@pytest.mark.parametrize(
    ("stated", "measured", "ok"), [(0.9, 0.81, True), (0.9, 0.79, False), (None, 0.1, True)]
)
def test_a_bucket_is_near_or_unproven(stated: float | None, measured: float, ok: bool) -> None:
    bucket = Bucket("realtime", "", stated, 10, 2, 1.0, measured, 0.0)
    assert bucket.ok is ok


def test_nothing_flagged_is_no_error_and_no_success() -> None:
    measures = dict.fromkeys(["precision", "hard_error", "soft_error", "over_claim"])
    checks = error_checks("x", {**measures, "callers_hit_realtime": 0})
    assert [check.name for check in checks if not check.ok] == ["dollar precision", "over-claim"]
