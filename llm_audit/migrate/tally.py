"""Layers 1, 3 and 4 counted up, pair by pair, so that no text outlives its comparison.

Only of requests that were sent more than once are texts kept, and of the samples that a person
asked for. Tallies add up: one per log file, which counts only if the whole file is what it was.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from llm_audit.migrate import agreement, structure
from llm_audit.migrate.answers import Answer
from llm_audit.migrate.ledger import Outcome
from llm_audit.migrate.verification import Check, Labels, Noise, Sample, Share, Text, spread
from llm_audit.text import printable

LABEL_LENGTH = 40
"""Characters of the longest answer that may be a label."""

_MOST_LABELS, _FEWEST_PAIRS = 200, 10
_MOST_REPEATS = 2_000
_SAMPLE_LENGTH = 600


@dataclass(frozen=True, slots=True)
class Pair:
    """A logged answer and the one that was bought, of one request."""

    outcome: Outcome
    request: dict[str, Any]
    logged: Answer
    batch: Answer


@dataclass
class Tally:
    """repeated: digests of bodies that more than one request has. wanted: samples to keep.

    exact and compared: pairs by workload.
    """

    repeated: frozenset[str]
    wanted: int = 0
    checks: Counter[tuple[str, str]] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    similar: list[float] = field(default_factory=list)
    labels: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    not_labels: set[str] = field(default_factory=set)
    repeats: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    worst: list[tuple[float, str, Sample]] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Count a pair."""
        for finding in structure.findings(pair.request, pair.logged, pair.batch):
            self.add_finding(finding)
        texts = [agreement.normal(answer.content) for answer in (pair.logged, pair.batch)]
        if texts[0] or texts[1]:
            self._add_texts(pair.outcome, *texts)

    def add_finding(self, finding: structure.Finding) -> None:
        """Count what one check found."""
        self.checks[finding.name, "of"] += 1
        for part in ("logged", "batch", "same"):
            self.checks[finding.name, part] += getattr(finding, part)

    def _add_texts(self, outcome: Outcome, logged: str, batch: str) -> None:
        self.texts["pairs"] += 1
        self.texts["exact"] += logged == batch
        self.compared[outcome.workload_id] += 1
        self.exact[outcome.workload_id] += logged == batch
        documents = agreement.fields(logged, batch)
        if documents is not None:
            same, of = documents
            self.texts["documents"] += 1
            self.texts["same_documents"] += same == of
            self.texts["fields"] += of
            self.texts["same_fields"] += same
        alike = agreement.similarity(logged, batch)
        self.similar.append(alike)
        self._add_label(outcome.workload_id, logged, batch)
        if outcome.body_sha256 in self.repeated:
            self._add_repeat(outcome.body_sha256, (logged, batch))
        if self.wanted:
            shown = [printable(text, _SAMPLE_LENGTH) for text in (logged, batch)]
            self._add_sample(Sample(printable(outcome.call_id, 80), alike, *shown))

    def _add_label(self, workload: str, logged: str, batch: str) -> None:
        if workload in self.not_labels:
            return
        found = self.labels.setdefault(workload, Counter())
        found[logged, batch] += 1
        if len(logged) > LABEL_LENGTH or len(found) > _MOST_LABELS:
            self.not_labels.add(workload)
            del self.labels[workload]

    def _add_repeat(self, digest: str, texts: tuple[str, str]) -> None:
        known = self.repeats.get(digest, [])
        if len(known) < 2 and (known or len(self.repeats) < _MOST_REPEATS):
            self.repeats[digest] = [*known, texts]

    def _add_sample(self, sample: Sample) -> None:
        heapq.heappush(self.worst, (-sample.similarity, sample.call_id, sample))
        if len(self.worst) > self.wanted:
            heapq.heappop(self.worst)

    def merge(self, other: Tally) -> None:
        """Count what another tally has counted."""
        self.checks += other.checks
        self.texts += other.texts
        self.exact += other.exact
        self.compared += other.compared
        self.similar += other.similar
        self.not_labels |= other.not_labels
        for workload, labels in other.labels.items():
            self.labels.setdefault(workload, Counter()).update(labels)
        for workload in self.not_labels:
            self.labels.pop(workload, None)
        for digest, pairs in other.repeats.items():
            for pair in pairs:
                self._add_repeat(digest, pair)
        for _, _, sample in other.worst:
            self._add_sample(sample)

    # --- results ----------------------------------------------------------------------------------

    def structure(self) -> tuple[Check, ...]:
        """Layer 1."""
        names = dict.fromkeys(name for name, _ in self.checks)
        parts = ("of", "logged", "batch", "same")
        return tuple(Check(name, *(self.checks[name, part] for part in parts)) for name in names)

    def text(self) -> Text:
        """Layer 3."""
        texts = self.texts
        return Text(
            exact=Share(texts["exact"], texts["pairs"]),
            json_documents=Share(texts["same_documents"], texts["documents"]),
            json_fields=Share(texts["same_fields"], texts["fields"]),
            labels=tuple(
                _labels(workload, pairs)
                for workload, pairs in sorted(self.labels.items())
                if _are_labels(pairs)
            ),
            similarity=spread(self.similar),
        )

    def noise(self) -> Noise | None:
        """Layer 4."""
        twice = [pairs for pairs in self.repeats.values() if len(pairs) == 2]
        if not twice:
            return None
        logged = [(one[0], two[0]) for one, two in twice]
        batch = [(one[1], two[1]) for one, two in twice]
        across = [one for one, _ in twice]
        return Noise(
            logged=_same(logged),
            batch=_same(batch),
            across=_same(across),
            logged_similarity=_median(logged),
            batch_similarity=_median(batch),
            across_similarity=_median(across),
        )

    def samples(self) -> tuple[Sample, ...]:
        """The least alike first."""
        return tuple(sorted((s for _, _, s in self.worst), key=lambda s: (s.similarity, s.call_id)))


def _are_labels(pairs: Counter[tuple[str, str]]) -> bool:
    """Few short answers that come again and again."""
    total = pairs.total()
    kinds = {logged for logged, _ in pairs}
    return total >= _FEWEST_PAIRS and len(kinds) <= max(2, total // 5)


def _labels(workload: str, pairs: Counter[tuple[str, str]]) -> Labels:
    same = sum(count for (one, other), count in pairs.items() if one == other)
    return Labels(workload, Share(same, pairs.total()), agreement.kappa(pairs))


def _same(pairs: list[tuple[str, str]]) -> Share:
    return Share(sum(one == other for one, other in pairs), len(pairs))


def _median(pairs: list[tuple[str, str]]) -> float:
    found = spread([agreement.similarity(one, other) for one, other in pairs])
    assert found is not None
    return found.p50
