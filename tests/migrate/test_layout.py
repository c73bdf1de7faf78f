"""Tables that fit: what gives way first, and that figures never do."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llm_audit.migrate.layout import Column, joined, table, usd

COLUMNS = (
    Column("name"),
    Column("model", drop=1),
    Column("tokens", right=True, drop=2),
    Column("cost", right=True),
    Column("because", wraps=True),
)
ROW = ("a-long-name-of-a-caller", "gpt-5.4-mini", "1,234,567", "$1,234.56", "somebody waits " * 6)


def test_all_of_it_where_there_is_room() -> None:
    head, row = table(COLUMNS, [ROW], 200)
    assert head.split() == ["name", "model", "tokens", "cost", "because"]
    assert row.endswith("somebody waits")
    assert row.index("$1,234.56") + 9 == head.index("cost") + 4, "figures end under their head"


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120])
def test_it_is_never_wider_and_figures_are_whole(width: int) -> None:
    lines = table(COLUMNS, [ROW], width)
    assert max(map(len, lines)) <= width
    assert any("$1,234.56" in line for line in lines)
    said = " ".join(line[lines[0].index("because") :] for line in lines[1:])
    assert said.split() == ROW[4].split(), "what goes on below is whole"


def test_columns_go_in_their_order() -> None:
    assert "tokens" not in table(COLUMNS, [ROW], 95)[0]
    assert "model" in table(COLUMNS, [ROW], 95)[0]
    assert "model" not in table(COLUMNS, [ROW], 80)[0]


def test_wide_letters_take_two_cells() -> None:
    lines = table((Column("name"), Column("cost", right=True)), [("\u65e5\u672c", "$1")], 60)
    assert lines[0] == "name  cost"
    assert lines[1] == "\u65e5\u672c    $1"


def test_what_a_log_says_cannot_move_the_cursor() -> None:
    [_, line] = table((Column("name"),), [("a\x1b[2Jb\u202ec",)], 60)
    assert line == "abc"


def test_amounts_and_lists() -> None:
    assert [usd(Decimal(n)) for n in ("0", "0.01234", "1234.5")] == [
        "$0.00",
        "$0.0123",
        "$1,234.50",
    ]
    assert usd(None) == "unknown"
    assert [joined(words) for words in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
