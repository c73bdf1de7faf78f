"""The report: tables -> `Result` -> HTML, Markdown, CSV, FOCUS, JSON or a terminal table.

`build` alone reads the database; everything else is drawn from the `Result`.
"""

from llm_audit.report.baseline import compare
from llm_audit.report.build import build
from llm_audit.report.codec import from_json, to_json
from llm_audit.report.focus import to_focus
from llm_audit.report.markdown import to_markdown
from llm_audit.report.render import write_html
from llm_audit.report.result import Result
from llm_audit.report.schema_document import json_schema
from llm_audit.report.tabular import to_csv
from llm_audit.report.terminal import table

__all__ = [
    "Result",
    "build",
    "compare",
    "from_json",
    "json_schema",
    "table",
    "to_csv",
    "to_focus",
    "to_json",
    "to_markdown",
    "write_html",
]
