"""`python -m llm_audit` is the same program as `llm-audit`."""

from llm_audit.cli import main

if __name__ == "__main__":
    main()
