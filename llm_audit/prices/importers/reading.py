"""From a file that someone else wrote to values that can be trusted to be what they look like.

A price file is downloaded, so it may be anything: a web page, a file of another format, hostile.
Numbers are never binary floats: `0.1` in the file is exactly 0.1 here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from llm_audit.errors import InputError

MAX_BYTES = 64 * 2**20
"""Twenty times the largest price file we know."""

MIN_RATE = Decimal("0.0005")
MAX_RATE = Decimal(1500)
"""USD per million tokens outside which a number is more likely in another unit than a price.

The dearest rate known is 600 (o1-pro output), the cheapest 0.0025 (cached input of a nano model).
"""

_DECIMALS = Decimal("0.000001")
_FLOAT_NOISE = Decimal("1e-9")
"""Relative error that a rate computed in binary floats picks up (2.5000000000000002e-06)."""


@dataclass(frozen=True)
class Content:
    """The bytes of a price file as text, with their digest."""

    text: str
    sha256: str
    name: str


def content(file: Path) -> Content:
    """Read a price file. Errors: `InputError` for one that is missing, too large or not text."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot read the price file {file.name}: {error.strerror}",
            slug="price-file-unreadable",
            hint="give --from the path of a file on this machine",
        ) from None
    if len(data) > MAX_BYTES:
        raise InputError(
            f"{file.name} is larger than {MAX_BYTES // 2**20} MB",
            slug="price-file-too-large",
            hint="price files have a few megabytes: is this the right file?",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{file.name} is not UTF-8 text",
            slug="price-file-not-text",
            hint="unpack it first if it is compressed",
        ) from None
    return Content(text, hashlib.sha256(data).hexdigest(), file.name)


def parse_json(source: Content) -> object:
    """The JSON document of a price file, every number an exact `Decimal`.

    Errors: `InputError` when it is not JSON, holds NaN or Infinity, or is nested too deeply.
    """
    try:
        document: object = json.loads(
            source.text, parse_float=Decimal, parse_int=Decimal, parse_constant=_not_a_number
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise InputError(
            f"{source.name} is not JSON that can be read: {type(error).__name__}",
            slug="price-file-json",
            hint="save the raw file, not the web page that shows it",
        ) from None
    return document


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def wrong_shape(source: Content, wanted: str) -> InputError:
    """The refusal of a file that is readable but not of the format it was said to be."""
    return InputError(
        f"{source.name} does not look like {wanted}",
        slug="price-file-format",
        hint="--format is one of genai-prices, litellm, portkey, csv; is it the right one?",
    )


def usd_per_mtok(value: object, per_mtok: int) -> Decimal | str:
    """A rate in USD per million tokens, or the reason why `value` is none.

    `per_mtok` is how many of the file's units per token make one USD per million tokens. Zero is
    how these files write "unknown", so it is never a price.
    """
    if not isinstance(value, Decimal) or not value.is_finite():
        return "not a number"
    if value == 0:
        return "zero: unknown, not free"
    if value < 0:
        return "negative"
    # Compared before it is scaled: 1e999999 would overflow.
    if not MIN_RATE / per_mtok <= value <= MAX_RATE / per_mtok:
        return "implausible: another unit than this format's?"
    exact = value * per_mtok
    rounded = exact.quantize(_DECIMALS)
    if abs(exact - rounded) > exact * _FLOAT_NOISE:
        return "finer than six decimals per million tokens"
    return _plain(rounded)


def tokens(value: object) -> int | None:
    """A prompt size in tokens, or None if it is not one."""
    if isinstance(value, Decimal) and 0 < value < 10**9 and value == value.to_integral_value():
        return int(value)
    return None


def _plain(rate: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent: 2.50 and 1E+1 become 2.5 and 10."""
    short = rate.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
