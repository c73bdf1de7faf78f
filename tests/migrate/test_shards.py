"""Packing: limits are never exceeded, each request is placed once, the canary comes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.migrate.shards import Item, Limits, Sizes, limits, pack

_ITEMS = st.lists(
    st.builds(Item, st.integers(1, 400), st.integers(0, 400), st.integers(1, 4)), max_size=300
)
_LIMITS = st.builds(
    Limits,
    requests=st.integers(1, 120),
    bytes=st.integers(450, 20_000),
    tokens=st.none() | st.integers(400, 20_000),
    units=st.none() | st.integers(4, 400),
    frame=st.integers(0, 50),
)


@given(_ITEMS, _LIMITS, st.booleans())
def test_limits_hold_and_each_request_is_placed_once(
    items: list[Item], most: Limits, unique: bool
) -> None:
    packed = pack(items, most, Sizes(unique))
    assert sorted(place for shard in packed for place in shard) == list(range(len(items)))
    for shard in packed:
        held = [items[place] for place in shard]
        assert 1 <= len(held) <= most.requests
        assert sum(item.bytes for item in held) + most.frame <= most.bytes
        assert most.tokens is None or sum(item.tokens for item in held) <= most.tokens
        assert most.units is None or sum(item.units for item in held) <= most.units
    if packed:
        assert len(packed[0]) <= 20


@given(st.lists(st.integers(60, 4_000), min_size=1, max_size=6), st.integers(50, 500))
def test_sizes_of_shards_in_flight_tell_them_apart(counts: list[int], rows: int) -> None:
    sizes = Sizes(unique=True)
    most = Limits(requests=rows, bytes=10**9)
    shards = [s for n in counts for s in pack([Item(10, 10)] * n, most, sizes)]
    lengths = [len(shard) for shard in shards]
    if len(lengths) <= 12:
        assert len(set(lengths)) == len(lengths), lengths


def test_a_canary_is_small_and_from_all_over_the_group() -> None:
    first, second = pack([Item(10, 10)] * 1_000, Limits(5_000, 10**6), Sizes(unique=False))
    assert first == list(range(0, 1_000, 50))
    assert len(second) == 980


def test_a_tiny_group_is_all_canary() -> None:
    assert pack([Item(1, 1)] * 3, Limits(10, 100), Sizes(unique=True)) == [[0, 1, 2]]
    assert pack([], Limits(10, 100), Sizes(unique=True)) == []


def test_our_margins() -> None:
    most = limits(
        50_000, 200_000_000, max_units=50_000, max_rows=10**6, queue_tokens=1_000, frame=0
    )
    assert most == Limits(45_000, 180_000_000, 800, 45_000, 0)
    assert limits(10, 10, max_units=None, max_rows=5, queue_tokens=None, frame=1).requests == 5


def test_what_fits_no_shard_must_be_left_out_before() -> None:
    with pytest.raises(ValueError, match="larger"):
        pack([Item(101, 1)], Limits(10, 100), Sizes(unique=False))
    assert not Limits(10, 100, frame=1).admit(Item(100, 1))
    assert not Limits(10, 100, tokens=5).admit(Item(1, 6))
    assert not Limits(10, 100, units=5).admit(Item(1, 1, 6))
