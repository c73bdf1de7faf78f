"""The report: tables -> `Result` -> HTML, JSON or a terminal table.

`build` alone reads the database; everything else is drawn from the `Result`.
"""

from llm_audit.report.build import build
from llm_audit.report.codec import from_json, to_json
from llm_audit.report.render import write_html
from llm_audit.report.result import Result
from llm_audit.report.terminal import table

__all__ = ["Result", "build", "from_json", "table", "to_json", "write_html"]
