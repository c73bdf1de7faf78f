"""A provider's own export beside our totals: the gap, and what each part of it is due to.

The arithmetic is in `sql/70` to `sql/79`; here it becomes one `Reconciliation`, and text.
"""

from llm_audit.reconcile.build import build
from llm_audit.reconcile.files import unusable, with_copies
from llm_audit.reconcile.result import Reconciliation
from llm_audit.reconcile.terminal import table
from llm_audit.reconcile.verdict import several

__all__ = ["Reconciliation", "build", "several", "table", "unusable", "with_copies"]
