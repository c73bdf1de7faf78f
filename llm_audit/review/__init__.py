"""Questions to the owners of gray workloads, and their answers as overrides.

Whether a result may come a day later never shows in a log for sure; a person knows. Here the gray
workloads become questions, each with the evidence and with what a yes would save, dearest first.
"""

from llm_audit.review.answer import (
    NO,
    YES,
    Answer,
    Signature,
    find,
    is_repeated,
    override,
    parse,
    signed,
)
from llm_audit.review.build import (
    Standing,
    answered,
    gray_workloads,
    look,
    questions,
    standing,
    yes,
)
from llm_audit.review.result import SCHEMA_VERSION, Question, Review
from llm_audit.review.text import answered_lines, listing, question_lines

__all__ = [
    "NO",
    "SCHEMA_VERSION",
    "YES",
    "Answer",
    "Question",
    "Review",
    "Signature",
    "Standing",
    "answered",
    "answered_lines",
    "find",
    "gray_workloads",
    "is_repeated",
    "listing",
    "look",
    "override",
    "parse",
    "question_lines",
    "questions",
    "signed",
    "standing",
    "yes",
]
