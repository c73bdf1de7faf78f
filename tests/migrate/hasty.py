"""`python -m tests.migrate.hasty ARGUMENTS`: llm-audit, whole, with a clock that need not wait."""

from __future__ import annotations

import time

from llm_audit import cli
from llm_audit.migrate import context


class HastyClock(context.SystemClock):
    """Goes on by what is slept, in hundredths of a second."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        time.sleep(0.01)


if __name__ == "__main__":
    context.SystemClock = HastyClock  # type: ignore[misc]
    cli.main()
