"""Reading other people's price files. Nothing here is a price yet: `update` lays it beside ours.

One module a format, each with `read`; all give the same `Candidate` records. They are not used to
price anything at run time: every one of these files has been wrong about something.
"""

from __future__ import annotations

from pathlib import Path

from llm_audit.errors import InputError
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.importers import csv_file, genai_prices, litellm, portkey
from llm_audit.prices.importers.records import Candidate, Import, Skipped

__all__ = ["FORMATS", "Candidate", "Import", "Skipped", "read"]

FORMATS = ("genai-prices", "litellm", "portkey", "csv")


def read(format_: str, file: Path | None, catalogue: Catalogue) -> Import:
    """Read a price file of one of `FORMATS`; `file` None means the installed genai-prices.

    Errors: `InputError` for a file that cannot be read or is of another format.
    """
    if format_ == "genai-prices":
        return genai_prices.read(file, catalogue)
    if file is None:
        raise InputError(
            f"--format {format_} needs a file",
            slug="price-file-missing",
            hint="name it with --from FILE; only genai-prices can be read as installed",
        )
    if format_ == "litellm":
        return litellm.read(file, catalogue)
    if format_ == "portkey":
        return portkey.read(file, catalogue)
    return csv_file.read(file)
