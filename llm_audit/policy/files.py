"""Writes the config: whole or not at all, and never over what somebody else just wrote."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from llm_audit.errors import PolicyError


def create(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet. Errors: `PolicyError`."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise PolicyError(
            f"{path} is there already",
            slug="config-exists",
            hint="nothing was changed; --force replaces it, --path writes another file",
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, or of none: a reader sees the old or the new, no mixture.

    A link is followed and a file keeps its mode. Errors: `PolicyError`; the old file stays.
    """
    try:
        target = path.resolve()
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_mode(target))
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, RuntimeError) as error:  # the latter: a link that leads to itself
        raise _unwritable(path, error) from None


def _mode(path: Path) -> int:
    """The permissions of a file, or those that a new one would get."""
    if path.exists():
        return path.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _unwritable(path: Path, error: OSError | RuntimeError) -> PolicyError:
    return PolicyError(
        f"cannot write {path}: {getattr(error, 'strerror', error)}",
        slug="config-unwritable",
        hint="choose a folder that exists and that you may write to",
    )
