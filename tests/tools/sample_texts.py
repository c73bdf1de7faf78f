"""The words of the sample logs: short, plain English, all of it invented for this repository.

Every function takes the workload's own random generator and returns one piece of text. Texts stand
for longer ones: the token counts beside them are those of a full prompt.
"""

from __future__ import annotations

from random import Random

_THINGS = (
    "garden bench", "rain barrel", "tool shed", "hose reel", "picnic blanket", "bird table",
    "camping stove", "watering can", "potting table", "wool throw", "hand trowel", "compost bin",
    "storm lantern", "pruning saw", "folding chair", "seed tray", "door mat", "fire bowl",
    "walking pole", "bread tin", "log basket", "parasol base", "leaf rake", "cold frame",
)  # fmt: skip
_MATERIALS = (
    "ash wood", "oiled oak", "galvanised steel", "recycled plastic", "cast iron", "linen",
    "stoneware", "bamboo", "powder-coated aluminium", "natural rubber", "canvas", "copper",
)  # fmt: skip
_PLACES = ("small balconies", "wet lawns", "allotments", "family kitchens", "windy terraces",
           "weekend trips", "narrow hallways", "greenhouses")  # fmt: skip
_FAULTS = ("arrived with a dent", "is a shade darker than the picture", "wobbles on flat ground",
           "lost a screw after a week", "came a day late", "has a stiff hinge",
           "rusted after the first rain", "was packed with care")  # fmt: skip
_MOODS = ("I would buy it again.", "I am sending it back.", "My neighbour wants one too.",
          "It does what it says.", "For that price I hoped for more.", "The children love it.",
          "The manual could be clearer.", "It feels made to last.")  # fmt: skip
_REGIONS = ("the north depot", "the river warehouse", "the harbour depot", "the old mill store")
_FIRST_NAMES = ("Ada", "Bruno", "Clara", "Dario", "Edith", "Felix", "Greta", "Hugo", "Ines")

_QUESTIONS = (
    ("Where is my order {number}?", "It left {region} this morning and should reach you tomorrow."),
    ("Can I change the delivery address?", "Yes, until the parcel is packed. What is it?"),
    ("The {thing} {fault}.", "I am sorry about that. I can send a replacement or refund you."),
    ("Do you have the {thing} in {material}?", "We do; it costs a little more."),
    ("How do I clean {material}?", "Warm water and a soft brush; avoid strong soap."),
    ("I was charged twice for {number}.", "One charge is pending and will vanish."),
    ("Is the {thing} safe for {place}?", "Yes, it was tested for that, up to ninety kilograms."),
    ("Please cancel {number}.", "Done. You will get a confirmation by mail in a few minutes."),
)  # fmt: skip
_TASKS = (
    "Fix the rounding error in the basket total.",
    "Add a test for the free shipping threshold.",
    "Make the stock import skip empty rows.",
    "Rename the parcel table and its indexes.",
    "Speed up the search suggestions endpoint.",
    "Show the delivery date on the order page.",
)
_FILES = ("basket/total.py", "shipping/rates.py", "stock/importer.py", "orders/page.py",
          "search/suggest.py", "tests/test_total.py", "parcels/models.py")  # fmt: skip
_STAFF_QUESTIONS = (
    ("How do I reset my badge?", "Hold it to the reader by the lift for ten seconds."),
    ("Which form do I need for parental leave?", "Form P4 on the people page; your lead signs it."),
    ("The {region} printer is offline.", "Restart it with the green switch."),
    ("How many holidays do I have left?", "You have {days} days left this year."),
    ("Can I expense a train ticket?", "Yes, second class, with the receipt, within {days} days."),
)
_CLAUSES = ("a renewal date", "a late delivery penalty", "a price index", "a notice period",
            "a liability cap", "an exclusivity clause")  # fmt: skip


def thing(rng: Random) -> str:
    """A product, such as "cast iron fire bowl"."""
    return f"{rng.choice(_MATERIALS)} {rng.choice(_THINGS)}"


def product_sheet(rng: Random) -> str:
    """What the nightly catalogue job sends for one product."""
    number = rng.randrange(10_000, 99_999)
    return (
        f"Item {number}: {thing(rng)}, {rng.randrange(4, 90) / 2:g} kg, "
        f"{rng.randrange(20, 240)} cm, made for {rng.choice(_PLACES)}. Supplier note: "
        f"{rng.choice(_FAULTS)} in one case of {rng.randrange(40, 900)}. Write the catalogue entry."
    )


def product_entry(rng: Random) -> str:
    """A catalogue entry."""
    return (
        f"A {thing(rng)} for {rng.choice(_PLACES)}. Weatherproof, easy to carry, and guaranteed "
        f"for {rng.randrange(2, 12)} years."
    )


def review(rng: Random) -> str:
    """A customer's product review."""
    order = rng.randrange(10**6)
    return f"The {thing(rng)} {rng.choice(_FAULTS)}. Order {order}. {rng.choice(_MOODS)}"


def verdict(rng: Random) -> str:
    """A short judgement in JSON, as graders and classifiers answer."""
    word, score = rng.choice(("good", "fair", "poor")), rng.randrange(1, 11)
    return f'{{"verdict": "{word}", "score": {score}}}'


def dialogue(rng: Random, turns: int) -> list[tuple[str, str]]:
    """`turns` pairs of customer question and shop answer."""
    return [_filled(rng, pair) for pair in rng.choices(_QUESTIONS, k=turns)]


def staff_dialogue(rng: Random, turns: int) -> list[tuple[str, str]]:
    """`turns` pairs of staff question and helpdesk answer."""
    return [_filled(rng, pair) for pair in rng.choices(_STAFF_QUESTIONS, k=turns)]


def _filled(rng: Random, pair: tuple[str, str]) -> tuple[str, str]:
    """The pair with its blanks filled, the same way in question and answer."""
    words = {
        "number": f"TD-{rng.randrange(100_000, 999_999)}",
        "thing": rng.choice(_THINGS),
        "material": rng.choice(_MATERIALS),
        "place": rng.choice(_PLACES),
        "fault": rng.choice(_FAULTS),
        "region": rng.choice(_REGIONS),
        "days": str(rng.randrange(3, 29)),
    }
    return pair[0].format(**words), pair[1].format(**words)


def coding_task(rng: Random) -> str:
    """What a developer asks the coding agent."""
    return f"{rng.choice(_TASKS)} Ticket {rng.randrange(1000, 9999)}."


def source_path(rng: Random) -> str:
    """A file of the shop's own code base."""
    return rng.choice(_FILES)


def tool_output(rng: Random) -> str:
    """What a tool answers the agent."""
    passed = rng.randrange(20, 90)
    return rng.choice(
        (
            f"{passed} tests passed, {rng.randrange(3)} failed",
            f"{rng.randrange(3, 40)} matches in {rng.randrange(1, 6)} files",
            f"lines {passed} to {passed + 40}: def total(items): return sum(items)",
        )
    )


def search_query(rng: Random) -> str:
    """What a visitor types into the search box."""
    return f"{thing(rng)} for {rng.choice(_PLACES)}" if rng.random() < 0.3 else thing(rng)


def manual_pages(rng: Random, pages: int) -> list[str]:
    """First sentences of `pages` manual pages."""
    return [
        f"Page {rng.randrange(1, 80)}: how to set up the {thing(rng)} for {rng.choice(_PLACES)}."
        for _ in range(pages)
    ]


def day_digest(rng: Random) -> str:
    """A user's request to the summary screen."""
    return (
        f"Summarise what {rng.choice(_REGIONS)} reported about the {rng.choice(_THINGS)} "
        f"in the last {rng.randrange(2, 30)} days."
    )


def summary(rng: Random) -> str:
    """A two-sentence summary."""
    return (
        f"{rng.randrange(3, 60)} reports, mostly that the item {rng.choice(_FAULTS)}. "
        f"{rng.choice(_REGIONS).capitalize()} asks for new packaging."
    )


def payment_note(rng: Random) -> str:
    """What the checkout classifier sees."""
    return (
        f"Basket of {rng.randrange(1, 9)} items, {rng.randrange(10, 900)} EUR, first order: "
        f"{rng.choice(('yes', 'no'))}, address changed {rng.randrange(0, 90)} minutes ago."
    )


def policy_case(rng: Random) -> str:
    """A listing to be checked against the shop's rules."""
    number = rng.randrange(10**6)
    return f"Listing {number}: {thing(rng)}, said to be ideal for {rng.choice(_PLACES)}."


def contract_question(rng: Random) -> str:
    """A question about a supplier's contract."""
    return f"Supplier contract {rng.randrange(10**5)}: does it have {rng.choice(_CLAUSES)}?"


def person(rng: Random) -> str:
    """A first name."""
    return rng.choice(_FIRST_NAMES)
