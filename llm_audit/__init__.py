"""llm-audit: find the LLM calls that could have waited, and what waiting would have saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from llm_audit.api import Audit

__version__ = "0.1.0"


def open(
    path: str | Path | None = None, *, config: str | Path | None = None, refresh: bool = False
) -> Audit:
    """Open an audit database for reading from Python; see `llm_audit.api.Audit`.

    path: the database; like the command line, `LLM_AUDIT_DB` or `.llm-audit/audit.duckdb` if not
    given. config: your policy; `llm-audit.toml` in this folder if not given. What the last
    `llm-audit report` has labelled and priced is taken as it stands; if there are calls without a
    label, or others were labelled by another policy than `config`, that is done first. refresh: do
    it in any case, for instance after a change of `llm-audit.toml`.
    Errors: `EngineError` where there is no database, `InputError` where it has no calls,
    `PolicyError` for a policy that cannot be used. All are `llm_audit.errors.LlmAuditError`.
    """
    from llm_audit.api import open_audit

    return open_audit(path, config=config, refresh=refresh)
