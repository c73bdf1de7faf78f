"""The exception tree. Every failure a user can meet is an `LlmAuditError`.

Trouble with a single log line or a single price is data (`rejects.reason`, `costs.price_status`),
never an exception. `cli` holds the one handler that turns these into a message and an exit code.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes; the README documents each one."""

    OK = 0
    ERROR = 1
    USAGE = 2
    GATE = 3
    KEY = 4
    DATA_QUALITY = 5
    MIGRATION = 6
    INTERRUPTED = 130


class LlmAuditError(Exception):
    """A failure with a repair: what went wrong, a stable slug, a hint, and the exit code."""

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(
        self, message: str, *, slug: str, hint: str = "", exit_code: ExitCode | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.slug = slug
        self.hint = hint
        if exit_code is not None:
            self.exit_code = exit_code


class InputError(LlmAuditError):
    """A log file, path, format or mapping that cannot be used as given."""


class UsageError(InputError):
    """An option's value that cannot be used as given."""

    exit_code: ExitCode = ExitCode.USAGE


class PolicyError(LlmAuditError):
    """A rule or an override in `rules.toml` or `llm-audit.toml` that cannot be used."""


class PricingError(LlmAuditError):
    """A price table that contradicts itself."""


class EngineError(LlmAuditError):
    """The database could not be opened, read or written."""


class DataQualityError(LlmAuditError):
    """More rejects than the user allows (`--strict`, `--max-rejects`)."""

    exit_code = ExitCode.DATA_QUALITY


class GateError(LlmAuditError):
    """A `--fail-on` condition holds; the report was written."""

    exit_code = ExitCode.GATE


class MigrationError(LlmAuditError):
    """A migration that cannot be planned or run as asked; `exit_code` says what kind it is."""
