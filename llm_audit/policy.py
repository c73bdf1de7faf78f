"""One checked Policy from the packaged `rules.toml` and the user's `llm-audit.toml`.

A rule is data: a boolean SQL expression over the columns of `SIGNALS`, a weight, a sentence, and
literal rows that show when it fires. The user's file may switch rules off, change weights and
thresholds, add rules, and override the label or the tolerance of workloads by name. It is text
from outside, so every expression is parsed and only plain comparisons of signal columns pass: no
subquery, no function that could read a file, one expression.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit import schema
from llm_audit.errors import PolicyError
from llm_audit.schema import Column

if TYPE_CHECKING:
    import duckdb

MAX_RULES = 62
"""One bit of a signed 64-bit mask per rule, with a bit to spare."""

KINDS = ("declared", "veto", "evidence", "words", "note")
"""What a rule is, strongest first. A note weighs nothing: it says what the log does not tell."""

MAX_PLACEHOLDERS = 3

_PACKAGED = "rules.toml"

SIGNALS: tuple[Column, ...] = (
    # What is alike in all calls of one case.
    Column("case_calls", "BIGINT", "", "calls that are alike in the eight call-level columns"),
    Column("is_streaming", "BOOLEAN", "", "the answer was streamed"),
    Column("has_tool_result", "BOOLEAN", "", "the request answers a tool call"),
    Column("continues_response", "BOOLEAN", "", "the request names a previous response"),
    Column("continues_prompt", "BOOLEAN", "", "an earlier finished prompt stands inside this one"),
    Column("service_tier", "VARCHAR", "", "standard, batch, flex, priority"),
    Column("declared_tolerance_s", "DOUBLE", "", "smallest declared wait; the owner's if given"),
    Column("run_calls", "BIGINT", "", "smallest size of the runs these calls belong to"),
    Column("in_pool_run", "BOOLEAN", "", "a program drains a list in that run"),
    Column("is_short_input", "BOOLEAN", "", "input under 40 tokens"),
    # The workload they belong to.
    Column("workload_id", "VARCHAR", "", "name of the workload"),
    Column("caller", "VARCHAR", "", "who calls, or a stand-in where the log does not say"),
    Column("operation_name", "VARCHAR", "", "chat, responses, embeddings, ..."),
    Column("provider_name", "VARCHAR", "", "who is paid"),
    Column("model", "VARCHAR", "", "the model asked for, else the one that answered"),
    Column("template_hash", "VARCHAR", "", "NULL where small templates are pooled"),
    Column("calls", "BIGINT", "", "calls of the workload"),
    Column("active_days", "BIGINT", "", "UTC days with a call"),
    Column("run_count", "BIGINT", "", "runs: islands between pauses over ten minutes"),
    Column("median_run_calls", "BIGINT", "", "calls of the median run"),
    Column("max_run_calls", "BIGINT", "", "calls of the largest run"),
    Column("runs_per_day", "DOUBLE", "", "runs per active day"),
    Column("share_in_large_runs", "DOUBLE", "", "share of calls in runs of 100 or more"),
    Column("share_in_pool_runs", "DOUBLE", "", "share of calls in runs that drain a list"),
    Column("large_run_days", "BIGINT", "", "days on which a run of 50 or more started"),
    Column("daily_regularity", "DOUBLE", "", "0 to 1: how alike the start times of such runs are"),
    Column("share_starts_inside", "DOUBLE", "", "share that starts while another is in flight"),
    Column("share_streaming", "DOUBLE", "", "of the calls whose log says"),
    Column("share_tool_results", "DOUBLE", "", "of the calls whose log says"),
    Column("share_continues_response", "DOUBLE", "", "share with a previous response"),
    Column("share_continues_prompt", "DOUBLE", "", "share that continues an earlier prompt"),
    Column("share_token_growth", "DOUBLE", "", "share sized like a replayed conversation"),
    Column("share_conversation", "DOUBLE", "", "share that follows in a conversation"),
    Column("share_prompts_known", "DOUBLE", "", "share with prompt hashes"),
    Column("share_single_turn", "DOUBLE", "", "share with at most two messages"),
    Column("distinct_prompts", "BIGINT", "", "different last messages"),
    Column("share_cancelled", "DOUBLE", "", "share that the client gave up"),
    Column("cancel_minutes", "BIGINT", "", "different minutes with a cancelled call"),
    Column("share_short_timeout", "DOUBLE", "", "timeouts up to 60 s, of those known"),
    Column("client_timeout_min_s", "DOUBLE", "", "shortest known client timeout"),
    Column("declared_tolerance_min_s", "DOUBLE", "", "as the calls declare it"),
    Column("declared_tolerance_max_s", "DOUBLE", "", "as the calls declare it"),
    Column("share_scheduled", "DOUBLE", "", "share started by a scheduler"),
    Column("share_ci", "DOUBLE", "", "share started by a CI pipeline"),
    Column("scheduler", "VARCHAR", "", "one of the schedulers"),
    Column("share_batch_tier", "DOUBLE", "", "share served as batch"),
    Column("share_flex_tier", "DOUBLE", "", "share served as flex"),
    Column("share_priority_tier", "DOUBLE", "", "share served as priority"),
    Column("share_short_input", "DOUBLE", "", "share with input under 40 tokens"),
    Column("share_long_input", "DOUBLE", "", "share with input of 100 tokens or more"),
    Column("share_long_output_limit", "DOUBLE", "", "share with an output limit over 21,333"),
    Column("share_end_user", "DOUBLE", "", "share that names an end user"),
    Column("distinct_end_users", "BIGINT", "", "different end users"),
    Column("offline_words", "BIGINT", "", "different offline words in names; 0 if switched off"),
    Column("online_words", "BIGINT", "", "different online words in names; 0 if switched off"),
    Column("offline_name", "VARCHAR", "", "a name with an offline word"),
    Column("online_name", "VARCHAR", "", "a name with an online word"),
    Column("share_blocking_tags", "DOUBLE", "", "share with a tag of a blocking check"),
    Column("blocking_name", "VARCHAR", "", "such a tag"),
    Column("clock_deadline", "VARCHAR", "", "a deadline tag that names a time of day"),
    Column("later_deadline", "VARCHAR", "", "a deadline tag that names a week, month or quarter"),
    Column("environment", "VARCHAR", "", "prod, staging, ci, ..."),
)
"""The columns of the `signals` table that rules may use: name, SQL type, (no attribute), meaning.

Shares run from 0 to 1; times ending in `_s` are seconds; a column is NULL where the log is silent.
"""


@dataclass(frozen=True)
class Rule:
    """One rule: when it fires, what it says about one criterion, and how strongly (log2 odds)."""

    code: str
    criterion: str
    kind: str
    when: str
    weight: float
    evidence: str
    why: str
    tests: tuple[Mapping[str, Any], ...] = ()
    source: str = _PACKAGED


@dataclass(frozen=True)
class Override:
    """What an owner says about workloads: a label, or how long a result may take (seconds).

    `caller`, `workload`, `model` and `operation` are globs (`*` and `?`); all must match.
    """

    caller: str
    workload: str
    model: str
    operation: str
    label: str | None
    tolerance_s: float | None
    because: str
    by: str
    until: date | None

    @property
    def sentence(self) -> str:
        """The override as one sentence for the report."""
        decision = (
            f"the owner labels this {self.label}"
            if self.label
            else f"the owner allows {duration_text(self.tolerance_s or 0.0)} for a result"
        )
        limit = f", until {self.until.isoformat()}" if self.until else ""
        return f"{decision}: {self.because} ({self.by}{limit})"


@dataclass(frozen=True)
class PriceMultiplier:
    """A negotiated price: the published rate times `multiplier`. Globs; an empty tier means any."""

    provider: str
    model: str
    tier: str
    multiplier: float


@dataclass(frozen=True)
class Thresholds:
    """Scores (log2 odds) at which a criterion is supported, hinted or contradicted."""

    supported: float
    hinted: float
    contradicted: float


@dataclass(frozen=True)
class Policy:
    """Everything that decides a label, checked."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    words: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    overrides: tuple[Override, ...] = ()
    price_multipliers: tuple[PriceMultiplier, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @staticmethod
    def load(path: Path | None = None, *, today: date | None = None) -> Policy:
        """The packaged rules, changed by the user's file.

        `path` is an `llm-audit.toml`, or a `pyproject.toml` with a `[tool.llm-audit]` table.
        Overrides that ended before `today` are left out and named in `warnings`.
        Errors: `PolicyError` naming the file, the rule, and what to write instead.
        """
        policy = _packaged_policy()
        if path is None:
            return policy
        return _checked(_with_user_file(policy, path, today or date.today()))


def find_config(folder: Path) -> Path | None:
    """The config in `folder`: `llm-audit.toml`, else a `pyproject.toml` that has our table."""
    own = folder / "llm-audit.toml"
    if own.is_file():
        return own
    project = folder / "pyproject.toml"
    if project.is_file() and "llm-audit" in _read_toml(project).get("tool", {}):
        return project
    return None


def duration_text(seconds: float) -> str:
    """Seconds as a person says them: `90 s`, `15 min`, `24 h`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"


# --- reading -------------------------------------------------------------------------------------

_TOP_LEVEL = ("words", "rules", "thresholds", "rule", "override", "prices")
_RULE_KEYS = ("code", "criterion", "when", "weight", *KINDS, "evidence", "why", "tests")
_OVERRIDE_GLOBS = ("caller", "workload", "model", "operation")
_OVERRIDE_KEYS = (*_OVERRIDE_GLOBS, "label", "tolerance", "because", "by", "until")
_PRICE_KEYS = ("provider", "model", "tier", "multiplier")


@cache
def _packaged_policy() -> Policy:
    text = resources.files("llm_audit").joinpath(_PACKAGED).read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return _checked(
        Policy(
            rules=tuple(_rule(entry, _PACKAGED) for entry in data["rule"]),
            thresholds=Thresholds(**data["thresholds"]),
            words={kind: tuple(words) for kind, words in data["words"].items()},
            tags={kind: tuple(keys) for kind, keys in data["tags"].items()},
        )
    )


def _with_user_file(policy: Policy, path: Path, today: date) -> Policy:
    source = path.name
    data = _read_toml(path)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("llm-audit", {})
    _known_keys(data, _TOP_LEVEL, source, "")
    rules = _changed_rules(policy.rules, _table(data, "rules", source), source)
    own = tuple(_rule(entry, source) for entry in _list(data, "rule", source))
    overrides = [_override(entry, source) for entry in _list(data, "override", source)]
    in_force = tuple(o for o in overrides if o.until is None or o.until >= today)
    return replace(
        policy,
        rules=(*rules, *own),
        thresholds=_thresholds(policy.thresholds, _table(data, "thresholds", source), source),
        words=_words(policy.words, data.get("words", True), source),
        overrides=in_force,
        price_multipliers=tuple(_price(entry, source) for entry in _list(data, "prices", source)),
        warnings=tuple(
            f"{source}: override for {o.caller} ended on {o.until}; it is ignored"
            for o in overrides
            if o not in in_force
        ),
    )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(
            f"cannot read {path}: {error.strerror}",
            slug="config-unreadable",
            hint="name an existing llm-audit.toml with --config",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"{path.name} is not TOML: {error}",
            slug="config-not-toml",
            hint="strings need quotes, and a table starts with [name]",
        ) from None


def _rule(entry: Mapping[str, Any], source: str) -> Rule:
    code = str(entry.get("code", "?"))
    place = f"rule {code}"
    _known_keys(entry, _RULE_KEYS, source, place)
    for key in ("code", "criterion", "when", "evidence", "why"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise _error(source, place, f"`{key}` must be a text", slug="rule-incomplete")
    kinds = [kind for kind in KINDS if entry.get(kind) is True]
    if len(kinds) > 1:
        raise _error(source, place, f"is both {kinds[0]} and {kinds[1]}", slug="rule-kind")
    kind = kinds[0] if kinds else "evidence"
    implied = {"veto": -10.0, "note": 0.0}
    if kind in implied and "weight" in entry:
        raise _error(source, place, f"a {kind} has no weight of its own", slug="rule-weight")
    weight = implied[kind] if kind in implied else _number(entry.get("weight"), source, place)
    tests = entry.get("tests", [])
    return Rule(
        code=code,
        criterion=_choice(entry["criterion"], schema.CRITERIA, source, place),
        kind=kind,
        when=entry["when"].strip(),
        weight=weight,
        evidence=entry["evidence"].strip(),
        why=entry["why"].strip(),
        tests=tuple(tests),
        source=source,
    )


def _changed_rules(
    rules: Sequence[Rule], changes: Mapping[str, Any], source: str
) -> tuple[Rule, ...]:
    """`[rules]` of the user: `CODE = false` switches off, `CODE = 1.5` sets the weight."""
    _known_keys(changes, [rule.code for rule in rules], source, "[rules]")
    kept = []
    for rule in rules:
        change = changes.get(rule.code, True)
        if change is True:
            kept.append(rule)
        elif change is not False:
            place = f"[rules] {rule.code}"
            if rule.kind in ("veto", "note"):
                raise _error(source, place, f"is a {rule.kind}: true or false", slug="rule-weight")
            kept.append(replace(rule, weight=_number(change, source, place)))
    return tuple(kept)


def _thresholds(current: Thresholds, changes: Mapping[str, Any], source: str) -> Thresholds:
    names = ("supported", "hinted", "contradicted")
    _known_keys(changes, names, source, "[thresholds]")
    numbers = {name: _number(value, source, "[thresholds]") for name, value in changes.items()}
    changed = replace(current, **numbers)
    if not changed.contradicted < 0 < changed.hinted <= changed.supported:
        raise _error(
            source,
            "[thresholds]",
            "must keep contradicted < 0 < hinted <= supported",
            slug="thresholds-order",
        )
    return changed


def _words(
    words: Mapping[str, tuple[str, ...]], switch: object, source: str
) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(switch, bool):
        raise _error(source, "words", "is true or false", slug="config-type")
    return words if switch else {}


def _override(entry: Mapping[str, Any], source: str) -> Override:
    place = "[[override]]"
    _known_keys(entry, _OVERRIDE_KEYS, source, place)
    if not any(key in entry for key in _OVERRIDE_GLOBS):
        raise _error(
            source, place, "names no caller, workload, model or operation", slug="override-empty"
        )
    if ("label" in entry) == ("tolerance" in entry):
        raise _error(source, place, "needs a label or a tolerance, not both", slug="override-empty")
    for key in ("because", "by"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise _error(source, place, f"`{key}` must say who or why", slug="override-unsigned")
    globs = {key: str(entry.get(key, "*")) for key in _OVERRIDE_GLOBS}
    return Override(
        **globs,
        label=_choice(entry["label"], schema.LABELS, source, place) if "label" in entry else None,
        tolerance_s=_seconds(entry["tolerance"], source) if "tolerance" in entry else None,
        because=entry["because"].strip(),
        by=entry["by"].strip(),
        until=_day(entry.get("until"), source),
    )


def _price(entry: Mapping[str, Any], source: str) -> PriceMultiplier:
    place = "[[prices]]"
    _known_keys(entry, _PRICE_KEYS, source, place)
    multiplier = _number(entry.get("multiplier"), source, place)
    if multiplier < 0:
        raise _error(source, place, "`multiplier` must not be negative", slug="price-multiplier")
    return PriceMultiplier(
        provider=str(entry.get("provider", "*")),
        model=str(entry.get("model", "*")),
        tier=str(entry.get("tier", "")),
        multiplier=multiplier,
    )


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*")
_UNIT_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object, source: str) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _error(
            source, "[[override]]", "`tolerance` looks like 30 min, 24 h or 7 d", slug="tolerance"
        )
    return float(match[1]) * _UNIT_SECONDS[match[2]]


def _day(value: object, source: str) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise _error(
            source, "[[override]]", "`until` is a date like 2027-01-31", slug="override-until"
        ) from None


def _table(data: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise _error(source, key, f"must be a table: [{key}]", slug="config-type")
    return value


def _list(data: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _error(source, key, f"must be a list of tables: [[{key}]]", slug="config-type")
    return value


def _number(value: object, source: str, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _error(source, place, f"needs a number, not {value!r}", slug="config-number")
    return float(value)


def _choice(value: object, choices: Sequence[str], source: str, place: str) -> str:
    if value not in choices:
        raise _error(
            source,
            place,
            f"{value!r} is not one of {', '.join(choices)}",
            slug="config-choice",
            hint=_nearest(str(value), choices),
        )
    return str(value)


def _known_keys(data: Mapping[str, Any], known: Sequence[str], source: str, place: str) -> None:
    for key in data:
        if key not in known:
            raise _error(
                source,
                place,
                f"unknown key `{key}`",
                slug="config-unknown-key",
                hint=_nearest(key, known),
            )


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"


def _error(source: str, place: str, message: str, *, slug: str, hint: str = "") -> PolicyError:
    where = f"{source}, {place}" if place else source
    return PolicyError(f"{where}: {message}", slug=slug, hint=hint)


# --- checking ------------------------------------------------------------------------------------

_EXAMPLE = {
    column.name: {"BOOLEAN": True, "VARCHAR": "text"}.get(column.sql_type, 1) for column in SIGNALS
}
"""A row without NULLs: a type that does not fit shows here and not in the middle of a report."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ALLOWED_CLASSES = frozenset(
    ("CONJUNCTION", "COMPARISON", "OPERATOR", "BETWEEN", "COLUMN_REF", "CONSTANT", "FUNCTION")
)
_ALLOWED_FUNCTIONS = frozenset(
    ("+", "-", "*", "/", "~~", "!~~", "abs", "least", "greatest", "lower")
)


def _checked(policy: Policy) -> Policy:
    """The same policy with every expression in the parser's own words, or a `PolicyError`."""
    import duckdb

    if len(policy.rules) > MAX_RULES:
        raise PolicyError(
            f"{len(policy.rules)} rules, and a call can carry {MAX_RULES}",
            slug="too-many-rules",
            hint="switch some off under [rules]: CODE = false",
        )
    taken: set[str] = set()
    for rule in policy.rules:
        if rule.code in taken:
            raise _error(rule.source, f"rule {rule.code}", "the code is taken", slug="rule-code")
        taken.add(rule.code)
        _check_evidence(rule)
    with duckdb.connect() as connection:
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in SIGNALS)
        connection.execute(f"CREATE TABLE signals ({columns})")
        rules = tuple(replace(rule, when=_parsed(connection, rule)) for rule in policy.rules)
        for rule in rules:
            if rule.source != _PACKAGED:  # the packaged rows run in the test suite
                _run_literal_rows(connection, rule)
    return replace(policy, rules=rules)


def _run_literal_rows(connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """The user's own `tests`: signals that are set, all others NULL, and whether it fires."""
    for number, row in enumerate(rule.tests, start=1):
        place = f"rule {rule.code}, test {number}"
        if not isinstance(row, dict) or not isinstance(row.get("expect"), bool):
            raise _error(rule.source, place, "needs `expect = true` or false", slug="rule-test")
        cells = {name: value for name, value in row.items() if name != "expect"}
        for name in cells:
            _check_column(rule, name, f"test {number}")
        values = _ask(connection, rule, {c.name: cells.get(c.name) for c in SIGNALS})
        if bool(values) != row["expect"]:
            fires = "fires" if values else "does not fire"
            raise _error(rule.source, place, f"the rule {fires} on this row", slug="rule-test")


def _ask(connection: duckdb.DuckDBPyConnection, rule: Rule, row: Mapping[str, Any]) -> bool | None:
    """The rule's answer on one row of signals."""
    import duckdb

    marks = ", ".join("?" for _ in row)
    try:
        connection.execute("DELETE FROM signals")
        connection.execute(f"INSERT INTO signals VALUES ({marks})", list(row.values()))  # noqa: S608
        answer = connection.execute(f"SELECT {rule.when} FROM signals").fetchone()  # noqa: S608
    except duckdb.Error as error:
        raise _error(
            rule.source,
            f"rule {rule.code}",
            f"`{rule.when}` does not fit the signals: {str(error).splitlines()[0]}",
            slug="rule-when",
        ) from None
    return answer[0] if answer else None


def _check_evidence(rule: Rule) -> None:
    names = _PLACEHOLDER.findall(rule.evidence)
    if len(names) > MAX_PLACEHOLDERS:
        raise _error(
            rule.source,
            f"rule {rule.code}",
            f"evidence has more than {MAX_PLACEHOLDERS} placeholders",
            slug="rule-evidence",
        )
    for name in names:
        _check_column(rule, name, "evidence")


def evidence_parts(sentence: str) -> tuple[list[str], list[str | None]]:
    """Four literal pieces and three signal names (None where there are fewer placeholders)."""
    pieces = _PLACEHOLDER.split(sentence)
    texts = pieces[0::2] + [""] * (MAX_PLACEHOLDERS + 1)
    names: list[str | None] = [*pieces[1::2], None, None, None]
    return texts[: MAX_PLACEHOLDERS + 1], names[:MAX_PLACEHOLDERS]


def _parsed(connection: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    """The rule's expression as the parser prints it, after an allow-list and a dry binding.

    Printing it anew drops comments and closes every bracket, so that it can stand inside the
    generated SELECT without touching its neighbours.
    """
    prefix = "SELECT ("
    tree = _syntax_tree(connection, f"{prefix}{rule.when}\n)", rule, len(prefix))
    _check_node(rule, tree, len(prefix))
    row = connection.execute(
        "SELECT json_deserialize_sql(json_serialize_sql(CAST(? AS VARCHAR)))",
        [f"{prefix}{rule.when}\n)"],
    ).fetchone()
    expression = str(row[0] if row else "").removeprefix("SELECT ")
    answer = _ask(connection, replace(rule, when=expression), _EXAMPLE)
    if not isinstance(answer, bool):
        raise _error(
            rule.source,
            f"rule {rule.code}",
            f"`{rule.when}` is not a yes-or-no expression",
            slug="rule-when",
            hint="compare the column with something, such as share_streaming >= 0.5",
        )
    return expression


def _syntax_tree(
    connection: duckdb.DuckDBPyConnection, sql: str, rule: Rule, offset: int
) -> Mapping[str, Any]:
    row = connection.execute(
        "SELECT json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_empty := true)",
        [sql],
    ).fetchone()
    answer: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if answer["error"]:
        position = int(answer.get("position", offset)) - offset + 1
        raise _error(
            rule.source,
            f"rule {rule.code}, position {position} of `when`",
            str(answer.get("error_message", "cannot be parsed")),
            slug="rule-when",
            hint="`when` is one expression over signal columns, without `;`",
        )
    select = answer["statements"][0]["node"]["select_list"]
    if len(select) != 1:
        raise _error(
            rule.source, f"rule {rule.code}", "`when` must be one expression", slug="rule-when"
        )
    tree: Mapping[str, Any] = select[0]
    return tree


def _check_node(rule: Rule, node: Mapping[str, Any], offset: int) -> None:
    """Walk the syntax tree; only comparisons, logic and arithmetic over signal columns pass."""
    kind = node["class"]
    name = node.get("function_name", "")
    position = int(node.get("query_location", offset)) - offset + 1
    if kind not in _ALLOWED_CLASSES or (kind == "FUNCTION" and name not in _ALLOWED_FUNCTIONS):
        raise _error(
            rule.source,
            f"rule {rule.code}, position {position} of `when`",
            f"{name or kind.lower()} is not allowed",
            slug="rule-when",
            hint="use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, arithmetic and "
            + ", ".join(sorted(f for f in _ALLOWED_FUNCTIONS if f.isalpha())),
        )
    if kind == "COLUMN_REF":
        _check_column(rule, ".".join(node["column_names"]), f"position {position} of `when`")
    for value in node.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "class" in child:
                _check_node(rule, child, offset)
            elif isinstance(child, dict) and "expression" in child:
                _check_node(rule, child["expression"], offset)


def _check_column(rule: Rule, name: str, place: str) -> None:
    known = [column.name for column in SIGNALS]
    if name not in known:
        raise _error(
            rule.source,
            f"rule {rule.code}, {place}",
            f"there is no signal `{name}`",
            slug="unknown-signal",
            hint=_nearest(name, known),
        )
