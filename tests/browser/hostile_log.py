"""A log whose every text was chosen by an attacker: callers, models, tags, keys, file names."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(document.domain)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    "</style><style>*{display:none}</style>",
    "</title></head><body onload=alert(1)>",
    "<svg/onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<!-- --!> <![CDATA[ <iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)//https://evil.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<a href='https://evil.example'>click</a> <b>bold</b><br><sub>plotly</sub>",
    '<meta http-equiv="Content-Security-Policy" content="default-src * \'unsafe-inline\'">',
    "; script-src * 'unsafe-inline'; report-uri https://evil.example",
    '<base href="https://evil.example/"><link rel=stylesheet href=//evil.example/x.css>',
    "{{7*7}} {% import os %} ${7*7} #{7*7} <%= 7*7 %>",
    '=HYPERLINK("https://evil.example","open")',
    "+cmd|'/c calc'!A1",
    "-2+3+cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd|'/c calc'!A1",
    "\t=1+1",
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b2Jgone",
    "\u202egnp.exe\u2066 \u200bzero\u2028line",
    "null\x00byte\r\nsecond line",
    "![x](https://evil.example/x.png) [y](javascript:alert(1)) @octocat #1 `code` | cell |",
    "__proto__",
    "long-" + "x" * 10_000,
)

NIGHT = 110
"""Calls of one caller in one night: enough to be worth a batch."""

CALLS_EACH = 30
"""Records of each attack at the gateway."""

COLUMNS = (
    "call_id", "provider_name", "operation_name", "request_model", "response_model", "started_at",
    "ended_at", "status", "http_status", "is_streaming", "input_tokens", "output_tokens", "caller",
    "team", "environment", "scheduler", "declared_tolerance_s", "template_hash", "message_count",
)  # fmt: skip

BEGIN = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)


def write(folder: Path) -> list[Path]:
    """Three kinds of file, one set of them named by an attacker too."""
    files = [_table(folder / "calls.csv"), _gateway(folder / "gateway.jsonl")]
    for number, attack in enumerate(ATTACKS):
        name = attack.replace("/", "\u2215").replace("\0", "")[:60]
        files.append(_responses(folder / f"{name}.jsonl", number, attack))
    return files


def _table(path: Path) -> Path:
    """Calls of a proxy as CSV: known models, so the attackers' names reach the ranked actions."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for number, attack in enumerate(ATTACKS):
            for call in range(2 * NIGHT):
                # Two nights, in parallel: each call starts before the last one ends.
                night, place = divmod(call, NIGHT)
                begin = BEGIN + timedelta(days=9 * night, minutes=number, seconds=place / 4)
                # Embeddings cannot need each other; of every third name the log cannot tell.
                sure = number % 3 > 0
                operation = "embeddings" if sure else "chat"
                model = "text-embedding-3-large" if sure else "gpt-4.1"
                out.writerow([
                    f"table-{number}-{call}", "openai", operation, model, model,
                    f"{begin:%F %T.%f}", f"{begin + timedelta(seconds=20):%F %T.%f}", "ok", 200,
                    "false", 50_000, 0 if sure else 500, attack, attack, attack,
                    "cron" if sure else "", 86_400 if sure else "", f"{number:016x}", 2,
                ])  # fmt: skip
    return path


def _gateway(path: Path) -> Path:
    """Records of a gateway whose model, key, team, tags, user and error are all hostile."""
    with path.open("w", encoding="utf-8") as file:
        for number, attack in enumerate(ATTACKS):
            for call in range(CALLS_EACH):
                begin = (BEGIN + timedelta(days=call % 10, seconds=number * 90 + call)).timestamp()
                file.write(json.dumps(_gateway_record(f"{number}-{call}", attack, begin)) + "\n")
            file.write(attack + "\n")  # and a line that is no record at all
    return path


def _gateway_record(name: str, attack: str, begin: float) -> dict[str, object]:
    usage = {"prompt_tokens": 900, "completion_tokens": 90, "total_tokens": 990}
    failed = name.endswith("-7")
    return {
        "id": f"gateway-{name}",
        "litellm_call_id": f"gateway-{name}",
        "trace_id": attack,
        "session_id": attack,
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": False,
        "status": "failure" if failed else "success",
        "custom_llm_provider": attack,
        "startTime": begin,
        "endTime": begin + 2,
        "completionStartTime": begin + 2,
        "response_time": 2.0,
        "model": attack,
        "metadata": {
            "user_api_key_alias": attack,
            "user_api_key_team_alias": attack,
            "user_api_key_end_user_id": attack,
            "requester_metadata": {attack: attack, "max_delay": attack},
            "usage_object": usage,
        },
        "response_cost": 0.01,
        "total_tokens": 990,
        "prompt_tokens": 900,
        "completion_tokens": 90,
        "request_tags": [attack, f"job:{attack}", f"env:{attack}", f"User-Agent: {attack}"],
        "end_user": attack,
        "api_base": f"https://{attack}/v1",
        "model_group": attack,
        "user_agent": attack,
        "messages": [{"role": "system", "content": attack}, {"role": "user", "content": attack}],
        "response": {"id": f"gateway-{name}", "model": attack, "usage": usage},
        "model_parameters": {attack: attack},
        "error_str": attack if failed else None,
    }


def _responses(path: Path, number: int, attack: str) -> Path:
    """Bodies of one API in a file with a hostile name, some of its lines cut off."""
    with path.open("w", encoding="utf-8") as file:
        for call in range(3):
            begin = BEGIN + timedelta(days=call, hours=9, seconds=number)
            record = {
                "timestamp": f"{begin:%FT%TZ}",
                "method": "POST",
                "url": "https://api.openai.com/v1/chat/completions",
                "status": 200,
                "user_agent": attack,
                "request": {
                    "model": f"gpt-4o {attack}"[:200],
                    "messages": [{"role": "system", "content": attack}],
                    "user": attack,
                    "metadata": {"prompt_name": attack, attack[:60]: attack},
                },
                "response": {
                    "id": f"body-{number}-{call}",
                    "object": "chat.completion",
                    "created": int(begin.timestamp()),
                    "model": f"gpt-4o {attack}"[:200],
                    "choices": [],
                    "usage": {"prompt_tokens": 700, "completion_tokens": 70, "total_tokens": 770},
                },
            }
            file.write(json.dumps(record) + "\n")
        file.write(json.dumps({"id": attack})[:-2] + "\n")
    return path
