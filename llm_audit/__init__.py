"""llm-audit: find the LLM calls that could have waited, and what waiting would have saved."""

__version__ = "0.1.0"
