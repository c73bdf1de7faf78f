"""Why a call or a workload has its label and its cost: every step, back to a line of a log file.

The figures are those of the tables; nothing is judged or priced anew. Only "what would change the
verdict" goes further: it asks the same rules about the same signals with one gap of the log filled.
"""

from llm_audit.explain.build import build
from llm_audit.explain.result import Explanation
from llm_audit.explain.target import AmbiguousError, Candidate, Target, find
from llm_audit.explain.text import candidates_text, text

__all__ = [
    "AmbiguousError",
    "Candidate",
    "Explanation",
    "Target",
    "build",
    "candidates_text",
    "find",
    "text",
]
