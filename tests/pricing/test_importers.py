"""Price files of others: what is read and what is refused.

Every file here is written by hand; none of the figures in them is anybody's data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from llm_audit.errors import InputError
from llm_audit.prices import catalogue, importers, update
from llm_audit.prices.importers import csv_file, reading
from llm_audit.prices.importers.records import Candidate, Import
from tests.pricing.helpers import AS_OF

DATA = catalogue.read()


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Import]:
    """Read a document as a file of a format: a str as it is, anything else as JSON."""

    def read_(format_: str, document: object, name: str = "prices.json") -> Import:
        file = tmp_path / name
        text = document if isinstance(document, str) else json.dumps(document)
        file.write_text(text, encoding="utf-8")
        return importers.read(format_, file, DATA)

    return read_


def rates(found: Import) -> dict[tuple[object, ...], str]:
    """(model, tier, kind, band) -> USD per million tokens, as text so that 2.50 is not 2.5."""
    return {
        (one.model, one.tier, one.token_kind, one.band_min_tokens): str(one.usd_per_mtok)
        for one in found.candidates
    }


def reasons(found: Import) -> set[str]:
    return {entry.reason for entry in found.skipped}


def genai(*models: Mapping[str, object], provider: str = "openai") -> list[dict[str, object]]:
    return [{"id": provider, "models": list(models)}]


def litellm(name: str, entry: Mapping[str, object], provider: str = "openai") -> dict[str, object]:
    return {name: {"litellm_provider": provider, **entry}}


# One golden file a format


def test_genai_prices_golden(read: Callable[..., Import]) -> None:
    tiers = {"base": 2.5, "tiers": [{"start": 272000, "price": 5}]}
    found = read(
        "genai-prices",
        genai(
            {
                "id": "gpt-5.4",
                "match": {"starts_with": "gpt"},
                "prices": {
                    "input_mtok": tiers,
                    "cache_read_mtok": 0.25,
                    "cache_write_mtok": 3,
                    "cache_write_1h_mtok": 4,
                    "output_mtok": 15,
                    "input_audio_mtok": 7,
                    "output_audio_mtok": 8,
                    "input_image_mtok": 9,
                    "output_image_mtok": 10,
                    "web_searches_kcount": 10,
                },
                "price_variants": [
                    {
                        "when": {"processing": "batch"},
                        "prices": {"input_mtok": 1.25},
                        "constraint": {"start_date": "2026-10-14"},
                    },
                    {"when": {"service_tier": "flex"}, "prices": {"output_mtok": 7.5}},
                    {"when": {"service_tier": "priority"}, "prices": {"output_mtok": 30}},
                    {"when": {"service_tier": "fast"}, "prices": {"output_mtok": 30}},
                    {"when": {"processing": "batch", "x": "y"}, "prices": {"output_mtok": 1}},
                ],
            }
        ),
    )
    assert rates(found) == {
        ("gpt-5.4", "standard", "input", None): "2.5",
        ("gpt-5.4", "standard", "input", 272000): "5",
        ("gpt-5.4", "standard", "cached_input", None): "0.25",
        ("gpt-5.4", "standard", "cache_write_5m", None): "3",
        ("gpt-5.4", "standard", "cache_write_1h", None): "4",
        ("gpt-5.4", "standard", "output", None): "15",
        ("gpt-5.4", "standard", "audio_input", None): "7",
        ("gpt-5.4", "standard", "audio_output", None): "8",
        ("gpt-5.4", "standard", "image_input", None): "9",
        ("gpt-5.4", "standard", "image_output", None): "10",
        ("gpt-5.4", "batch", "input", None): "1.25",
        ("gpt-5.4", "flex", "output", None): "7.5",
        ("gpt-5.4", "priority", "output", None): "30",
    }
    assert reasons(found) == {
        "not a token rate we hold",
        "variant that is no tier of ours",
        "variant under several conditions",
    }
    batch = next(one for one in found.candidates if one.tier == "batch")
    assert batch == Candidate(
        provider="openai", surface="first_party", model="gpt-5.4", snapshot=None, tier="batch",
        region_scope="any", band_min_tokens=None, band_operator=None, token_kind="input",
        usd_per_mtok=Decimal("1.25"), effective_from=date(2026, 10, 14), effective_to=None,
        from_basis="first_seen", source="genai-prices", digest=found.digest,
        key="openai gpt-5.4 batch input_mtok",
    )  # fmt: skip
    assert len(found.digest) == 64


def test_litellm_golden(read: Callable[..., Import]) -> None:
    found = read(
        "litellm",
        {
            "sample_spec": {"litellm_provider": "one of", "input_cost_per_token": 1e-6},
            "gpt-5.4-2026-03-05": {
                "litellm_provider": "openai",
                "input_cost_per_token": 2.5e-06,
                "input_cost_per_token_above_272k_tokens": 5e-06,
                "input_cost_per_token_above_272k_tokens_batches": 2.5e-06,
                "input_cost_per_token_flex": 1.25e-06,
                "output_cost_per_token_priority": 3e-05,
                "cache_read_input_token_cost": 2.5e-07,
                "cache_creation_input_token_cost": 3e-06,
                "cache_creation_input_token_cost_above_1hr": 4e-06,
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 8e-06,
                "input_cost_per_audio_token": 7e-06,
                "output_cost_per_image_token": 8e-06,
                "output_cost_per_token_ultrafast": 9e-05,
                "max_tokens": 128000,
            },
        },
    )
    assert rates(found) == {
        ("gpt-5.4", "standard", "input", None): "2.5",
        ("gpt-5.4", "standard", "input", 272000): "5",
        ("gpt-5.4", "batch", "input", 272000): "2.5",
        ("gpt-5.4", "flex", "input", None): "1.25",
        ("gpt-5.4", "priority", "output", None): "30",
        ("gpt-5.4", "standard", "cached_input", None): "0.25",
        ("gpt-5.4", "standard", "cache_write_5m", None): "3",
        ("gpt-5.4", "standard", "cache_write_1h", None): "4",
        ("gpt-5.4", "standard", "cache_write_1h", 200000): "8",
        ("gpt-5.4", "standard", "audio_input", None): "7",
        ("gpt-5.4", "standard", "image_output", None): "8",
    }
    assert {one.snapshot for one in found.candidates} == {"2026-03-05"}
    assert {one.effective_from for one in found.candidates} == {None}
    assert [entry.key for entry in found.skipped] == [
        "gpt-5.4-2026-03-05 output_cost_per_token_ultrafast"
    ]


def test_portkey_golden(read: Callable[..., Import]) -> None:
    """Its unit is the cent per token."""
    found = read(
        "portkey",
        {
            "default": {"pricing_config": {"pay_as_you_go": {"request_token": {"price": 1}}}},
            "claude-sonnet-4-5-20250929": {
                "pricing_config": {
                    "pay_as_you_go": {
                        "request_token": {"price": 0.0003},
                        "response_token": {"price": 0.0015},
                        "cache_read_input_token": {"price": 0.00003},
                        "cache_write_input_token": {"price": 0.000375},
                        "additional_units": {
                            "cache_write_1h": {"price": 0.0006},
                            "web_search": {"price": 1},
                        },
                    },
                    "batch_config": {"request_token": {"price": 0.00015}},
                    "calculate": {},
                    "currency": "USD",
                }
            },
        },
        "anthropic.json",
    )
    assert rates(found) == {
        ("claude-sonnet-4-5", "standard", "input", None): "3",
        ("claude-sonnet-4-5", "standard", "output", None): "15",
        ("claude-sonnet-4-5", "standard", "cached_input", None): "0.3",
        ("claude-sonnet-4-5", "standard", "cache_write_5m", None): "3.75",
        ("claude-sonnet-4-5", "standard", "cache_write_1h", None): "6",
        ("claude-sonnet-4-5", "batch", "input", None): "1.5",
    }
    [batch] = [one for one in found.candidates if one.tier == "batch"]
    assert batch.doubt == "this file halves blindly: no proof of a batch rate"


LINE = (
    "openai,first_party,gpt-5.4,,batch,any,272000,>,input,2.50,2026-03-05,2026-12-01,change,"
    "published,openai-pricing,2026-11-01,2026-11-01,seen on the page"
)


def test_csv_golden(read: Callable[..., Import]) -> None:
    unknown = LINE.replace(",input,2.50,", ",cached_input,,").replace("published", "not_offered")
    found = read("csv", "\n".join([",".join(csv_file.COLUMNS), LINE, unknown]), "mine.csv")
    assert found.candidates == (
        Candidate(
            provider="openai", surface="first_party", model="gpt-5.4", snapshot=None,
            tier="batch", region_scope="any", band_min_tokens=272000, band_operator=">",
            token_kind="input", usd_per_mtok=Decimal("2.5"), effective_from=date(2026, 3, 5),
            effective_to=date(2026, 12, 1), from_basis="change", source="openai-pricing",
            digest=found.digest, key="mine.csv:2",
        ),
    )  # fmt: skip
    assert [entry.reason for entry in found.skipped] == ["no rate: not_offered"]


def test_genai_prices_as_python(tmp_path: Path) -> None:
    """The package ships Python literals: read as syntax, so a call in them cannot run."""
    file = tmp_path / "data.py"
    file.write_text(
        "from .types import *\n"
        "providers: list[Provider] = [Provider(id='openai', models=[ModelInfo(\n"
        "  id='gpt-5.4', match=ClauseOr(or_=[ClauseEquals(equals='gpt-5.4')]),\n"
        "  prices=[ConditionalPrice(prices=ModelPrice(input_mtok=TieredPrices(\n"
        "      base=Decimal('9'), tiers=[Tier(start=272000, price=Decimal('18'))]))),\n"
        "    ConditionalPrice(constraint=Constraint(start_date=datetime.date(2026, 3, 1)),\n"
        "      prices=ModelPrice(input_mtok=Decimal('2.5'), output_mtok=exit(1)))],\n"
        "  price_variants=[PriceVariant(when={'processing': 'batch'}, constraint=None,\n"
        "      prices=ModelPrice(input_mtok=Decimal('1.25')))])])]\n",
        encoding="utf-8",
    )
    found = importers.read("genai-prices", file, DATA)
    assert [
        (one.tier, one.band_min_tokens, str(one.usd_per_mtok), one.effective_from, one.effective_to)
        for one in found.candidates
    ] == [
        ("standard", None, "9", None, date(2026, 3, 1)),
        ("standard", 272000, "18", None, date(2026, 3, 1)),
        ("standard", None, "2.5", date(2026, 3, 1), None),
        ("batch", None, "1.25", None, None),
    ]


def test_the_newer_layout_of_genai_prices(read: Callable[..., Import]) -> None:
    providers = genai({"id": "gpt-5.4", "prices": {"input_mtok": 2.5}})
    assert len(read("genai-prices", {"units": {}, "providers": providers}).candidates) == 1


def test_genai_prices_is_found_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "genai_prices"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    (package / "data.py").write_text(
        "providers: list[Provider] = [Provider(id='openai', models=[ModelInfo(id='gpt-5.4', "
        "prices=ModelPrice(input_mtok=Decimal('2.5')))])]",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = importers.read("genai-prices", None, DATA)
    assert [one.model for one in found.candidates] == ["gpt-5.4"]
    assert found.label.endswith("(installed)")


def test_genai_prices_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError) as refusal:
        importers.read("genai-prices", None, DATA)
    assert "--from" in refusal.value.hint


def test_the_other_formats_need_a_file() -> None:
    with pytest.raises(InputError, match="needs a file"):
        importers.read("litellm", None, DATA)


# Traps


def test_zero_is_unknown_and_never_a_price(read: Callable[..., Import]) -> None:
    free = {"input_cost_per_token": 0, "output_cost_per_token": 0.0}
    half = {"input_cost_per_token": 1e-6, "output_cost_per_token": 0}
    found = read("litellm", litellm("claude-sonnet-4-20250514", free, "anthropic"))
    assert not found.candidates
    found = read("litellm", litellm("text-embedding-3-small", half))
    assert list(rates(found)) == [("text-embedding-3-small", "standard", "input", None)]
    assert reasons(found) == {"zero: unknown, not free"}


def test_a_batch_rate_is_unknown_before_its_day(read: Callable[..., Import]) -> None:
    """genai-prices itself answers with the standard price there."""
    variant = {
        "when": {"processing": "batch"},
        "prices": {"input_mtok": 1},
        "constraint": {"start_date": "2026-10-14"},
    }
    model = {"id": "gpt-4.1", "prices": {"input_mtok": 2, "cache_read_mtok": 0.5}}
    found = read("genai-prices", genai({**model, "price_variants": [variant]}))

    def batch(day: date) -> list[str]:
        held = [one for one in found.candidates if one.in_force(day) and one.tier == "batch"]
        return [f"{one.token_kind} {one.usd_per_mtok}" for one in held]

    assert batch(date(2026, 10, 13)) == []
    assert batch(date(2026, 10, 14)) == ["input 1"]  # and no cached rate: it names none


def test_of_two_variants_in_force_the_first_wins(read: Callable[..., Import]) -> None:
    """Rate by rate, as the package's own resolution does."""

    def variant(start: str, **prices: float) -> dict[str, object]:
        when = {"processing": "batch"}
        return {"when": when, "prices": prices, "constraint": {"start_date": start}}

    variants = [
        variant("2026-12-01", input_mtok=3),
        variant("2026-10-20", input_mtok=2, output_mtok=20),
        variant("2026-10-14", input_mtok=1),
        variant("2026-11-01", input_mtok=9),
    ]
    found = read("genai-prices", genai({"id": "gpt-5.4", "price_variants": variants}))

    def batch(*day: int) -> dict[str, str]:
        held = [one for one in found.candidates if one.in_force(date(*day))]
        assert len(held) == len({one.token_kind for one in held})
        return {one.token_kind: str(one.usd_per_mtok) for one in held}

    assert batch(2026, 10, 13) == {}
    assert batch(2026, 10, 14) == {"input": "1"}
    assert batch(2026, 11, 22) == {"input": "2", "output": "20"}
    assert batch(2026, 12, 1) == {"input": "3", "output": "20"}


def test_an_ended_band_does_not_stay_in_force(read: Callable[..., Import]) -> None:
    """A later line of a dated list replaces the whole set, bands included."""
    banded = {"input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]}}
    found = read(
        "genai-prices",
        genai(
            {
                "id": "claude-sonnet-4-6",
                "prices": [
                    {"prices": banded},
                    {"prices": {"input_mtok": 3}, "constraint": {"start_date": "2026-03-13"}},
                    {
                        "prices": {"input_mtok": 1},
                        "constraint": {"start_time": "16:30:00", "end_time": "00:30:00"},
                    },
                ],
            },
            provider="anthropic",
        ),
    )
    today = [one for one in found.candidates if one.in_force(AS_OF)]
    assert [(one.band_min_tokens, str(one.usd_per_mtok)) for one in today] == [(None, "3")]
    assert reasons(found) == {"price under a condition other than a first day"}


def test_a_stale_half_is_doubted(read: Callable[..., Import]) -> None:
    """Half of a price that has since gone down: 62.5 % of today's."""
    entry = {"input_cost_per_token": 4e-6, "input_cost_per_token_batches": 2.5e-6}
    found = read("litellm", litellm("claude-opus-5-5", entry, "anthropic"))
    doubts = {one.tier: one.doubt for one in found.candidates}
    assert doubts == {
        "standard": "",
        "batch": "62.5% of the standard rate: perhaps half of an older price",
    }


@pytest.mark.parametrize(("standard", "batch"), [("0.25", "0.13"), ("2", "1.6"), ("1", "1")])
def test_ratios_that_vendors_publish_are_not_doubted(
    standard: str, batch: str, read: Callable[..., Import]
) -> None:
    entry = {
        "input_cost_per_token": float(standard) / 1e6,
        "input_cost_per_token_batches": float(batch) / 1e6,
    }
    found = read("litellm", litellm("gpt-5.4", entry))
    assert {one.doubt for one in found.candidates} == {""}


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("2.5000000000000002e-06", "2.5"),  # float noise of their own arithmetic
        ("8.333e-08", "0.08333"),
        ("8.3333333e-08", None),  # finer than we can carry
        ("2.5", None),  # per million: the wrong unit
        ("1e-13", None),
        ("1e999999", None),
        ("-2.5e-06", None),
        ('"2.5e-06"', None),
        ("true", None),
        ("null", None),
        ("[2.5e-06]", None),
    ],
)
def test_one_number(written: str, rate: str | None, read: Callable[..., Import]) -> None:
    text = json.dumps(litellm("gpt-5.4", {"input_cost_per_token": 1}))
    found = read("litellm", text.replace('token": 1', f'token": {written}'))
    assert [str(one.usd_per_mtok) for one in found.candidates] == ([rate] if rate else [])
    assert bool(found.skipped) == (rate is None)


@pytest.mark.parametrize(
    ("seller", "name", "who"),
    [
        ("openai", "gpt-4o-2024-08-06", "openai first_party gpt-4o 2024-08-06 any"),
        ("openai", "gpt-4", "openai first_party gpt-4-0613 None any"),
        ("azure", "azure/gpt-4o", "openai azure gpt-4o None any"),
        ("azure", "azure/eu/gpt-4o", "openai azure gpt-4o None eu"),
        ("azure", "azure/global-standard/gpt-4o", "openai azure gpt-4o None any"),
        ("bedrock", "us.anthropic.claude-9", "anthropic bedrock claude-9 None us"),
        ("bedrock", "global.anthropic.claude-9", "anthropic bedrock claude-9 None any"),
        ("bedrock", "bedrock/us-west-2/ai21.j9-v1:0", "ai21 bedrock j9 None us-west-2"),
        ("bedrock", "openai.gpt-oss-9b-1:0", "openai bedrock gpt-oss-9b-1 None any"),
        ("vertex_ai-x", "vertex_ai/claude-9@default", "anthropic vertex claude-9 None any"),
        ("openai", "ft:gpt-4o-2024-08-06", "openai first_party ft:gpt-4o 2024-08-06 any"),
        # Never as the model that the name begins with:
        ("openai", "gpt-4o:extended", None),
        ("openai", "gpt-4o-next", "openai first_party gpt-4o-next None any"),
        ("anthropic", "claude-haiku-4", None),
        ("openai", "=HYPERLINK(1)", None),
        ("openai", "gpt-4o\x1b[2J", None),
        ("openai", "x" * 500, None),
    ],
)
def test_names_are_read_as_in_a_log(
    seller: str, name: str, who: str | None, read: Callable[..., Import]
) -> None:
    found = read("litellm", litellm(name, {"input_cost_per_token": 1e-6}, seller))
    assert [
        f"{one.provider} {one.surface} {one.model} {one.snapshot} {one.region_scope}"
        for one in found.candidates
    ] == ([who] if who else [])


@pytest.mark.parametrize("format_", importers.FORMATS)
@pytest.mark.parametrize(
    "text",
    [
        "", "<!doctype html>", "[1, 2", "NaN", '{"a": NaN}', '{"a": -Infinity}', "null", "[]",
        "{}", "3", '"text"', "[[]]", '{"a": 1}', '{"a": {"b": 1}}', "[" * 100_000,
        "1e99999999999999999999", "9" * 10_000, "a,b\n1,2\n",
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_with_a_hint(
    format_: str, text: str, read: Callable[..., Import]
) -> None:
    if format_ == "genai-prices" and text == "[]":
        return  # a list without a provider is a list of providers
    with pytest.raises(InputError) as refusal:
        read(format_, text, "openai.json")
    assert refusal.value.hint


@pytest.mark.parametrize("text", ["", "providers = [", "def f(): ...", "(" * 5000, "\0"])
def test_python_that_is_no_data_is_refused(text: str, read: Callable[..., Import]) -> None:
    with pytest.raises(InputError, match="does not look like"):
        read("genai-prices", text, "data.py")


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="cannot read"):
        importers.read("litellm", tmp_path / "absent.json", DATA)
    (tmp_path / "zipped.json").write_bytes(b"\x1f\x8b\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        importers.read("litellm", tmp_path / "zipped.json", DATA)
    monkeypatch.setattr(reading, "MAX_BYTES", 3)
    with pytest.raises(InputError, match="larger"):
        importers.read("litellm", tmp_path / "zipped.json", DATA)


def test_a_portkey_file_is_known_by_its_name(read: Callable[..., Import]) -> None:
    with pytest.raises(InputError, match="does not say whose"):
        read("portkey", {"gpt-4o": {"pricing_config": {}}}, "downloaded.json")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("2.50", "0", "zero"),
        ("2.50", "-1", "negative"),
        ("2.50", "NaN", "not a number"),
        ("2.50", "2.5000001", "finer"),
        ("2.50", "0.0000025", "another unit"),
        ("2026-03-05", "5.3.2026", "dates"),
        (",batch,", ",Batch,", "tier"),
        (",input,", ",inputs,", "token_kind"),
        ("272000,>", "272000,", "band"),
        ("272000,>", ",>", "band"),
        ("272000,>", "many,>", "band"),
        ("openai,first", ",first", "provider"),
        (",seen", ",seen,more", "columns"),
        (",seen on the page", "", "columns"),
    ],
)
def test_a_bad_line_of_ours_is_named(
    old: str, new: str, problem: str, read: Callable[..., Import]
) -> None:
    with pytest.raises(InputError, match=f"mine.csv:2: .*{problem}"):
        read("csv", ",".join(csv_file.COLUMNS) + "\n" + LINE.replace(old, new, 1), "mine.csv")


KEYS = st.sampled_from(
    (
        "id", "models", "providers", "prices", "price_variants", "when", "constraint", "start_date",
        "processing", "input_mtok", "base", "tiers", "start", "price", "litellm_provider",
        "input_cost_per_token", "output_cost_per_token_above_200k_tokens_batches",
        "pricing_config", "pay_as_you_go", "batch_config", "request_token", "additional_units",
        "cache_write_1h", "currency",
    )
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
MODELS = st.dictionaries(st.sampled_from(("gpt-4o", "claude-opus-5", "gpt-9")), JSON, max_size=3)
FILES = {
    "litellm": MODELS.map(lambda models: models | {"gpt-4o": {"litellm_provider": "openai"}}),
    "portkey": MODELS.map(lambda models: models | {"gpt-4o": {"pricing_config": {}}}),
    "genai-prices": st.lists(JSON, max_size=3).map(lambda ms: [{"id": "openai", "models": ms}]),
    "csv": JSON,
}


def priced(format_: str, value: object) -> object:
    """A file whose one rate is `value`."""
    if format_ == "litellm":
        return litellm("gpt-4o", {"input_cost_per_token": value, "output_cost_per_token": value})
    if format_ == "portkey":
        rates_ = {"batch_config": {"request_token": {"price": value}}}
        return {"gpt-4o": {"pricing_config": rates_}}
    if format_ == "genai-prices":
        return genai({"id": "gpt-4o", "prices": {"input_mtok": value}})
    return value


def assert_harmless(format_: str, document: object, folder: Path) -> None:
    file = folder / "openai.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    try:
        found = importers.read(format_, file, DATA)
        done = update.compare(found, DATA, AS_OF)
    except InputError:
        return
    for one in found.candidates:
        assert one.usd_per_mtok.is_finite()
        assert one.usd_per_mtok > 0
        assert one.usd_per_mtok == round(one.usd_per_mtok, 6)
    assert "\x1b" not in "".join(update.lines(done))


@pytest.mark.parametrize("format_", importers.FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_arbitrary_json_is_read_or_refused(
    format_: str, tmp_path: Path, data: st.DataObject
) -> None:
    assert_harmless(format_, data.draw(FILES[format_] | JSON), tmp_path)


@pytest.mark.parametrize("format_", importers.FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(value=JSON | st.floats(0, 1e-3) | st.decimals(0, 100, places=6).map(float))
@example(value=0)
@example(value=-1.0)
@example(value=5e-324)
def test_no_importer_yields_an_impossible_rate(format_: str, tmp_path: Path, value: object) -> None:
    assert_harmless(format_, priced(format_, value), tmp_path)
