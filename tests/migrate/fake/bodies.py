"""What the fake reads out of a request body: its marker, its digest, its tokens."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from tests.migrate.fake.scenario import Json

MARKER = re.compile(r"\[\[([^\[\]{}\",]+)\]\]")
PROMPT_KEYS = ("messages", "input", "prompt", "system", "instructions", "tools", "tool_choice")


def canonical(body: Any) -> str:
    """The body as JSON with sorted keys and no blanks."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def body_digest(body: Any) -> str:
    """sha256 hex of the canonical body: the `body_sha256` of the journal."""
    return sha256(canonical(body).encode()).hexdigest()


def marker(text: str, digest: str) -> str:
    """What a test wrote between [[ and ]] in the prompt, else the start of the digest."""
    found = MARKER.search(text)
    return found[1] if found else digest[:16]


def input_tokens(body: Any) -> int:
    """Prompt tokens: a quarter of the characters of the prompt as canonical JSON."""
    if not isinstance(body, dict):
        return 1
    prompt = {key: body[key] for key in PROMPT_KEYS if key in body}
    return max(1, len(canonical(prompt)) // 4)


def output_tokens(digest: str, allowed: int | None, truncated: bool) -> int:
    """Answer tokens, 1 to 64, from the digest; all that is allowed where it is cut off."""
    drawn = 1 + int(digest[:4], 16) % 64
    if allowed is None:
        return drawn
    return allowed if truncated else min(drawn, allowed)


def allowed_tokens(body: Json) -> int | None:
    """The limit that the request sets, whatever the endpoint calls it."""
    for key in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
        if isinstance(body.get(key), int):
            return int(body[key])
    return None
