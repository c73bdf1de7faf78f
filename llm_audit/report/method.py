"""What stands behind the figures, in words: what is not counted, the glossary, the commands."""

from __future__ import annotations

NOT_COUNTED = (
    "The work of engineers who move a workload, and the delay of its results.",
    "Workloads of the gray area: they are shown apart and enter no headline.",
    "Calls without a known price, and lines that could not be read.",
    "Calls that carry no time: they are in observed figures, in no monthly or yearly one.",
    "Other ways to pay less: smaller models, shorter prompts, better caching, fewer calls.",
    "Taxes, support plans, commitments and discounts that the configuration does not state.",
    "Requests that expire in a batch: a row of the sensitivity table says what they would cost.",
)

GLOSSARY = (
    ("Batch API", "Requests sent as a file; answers come within the vendor's window, often 24 "
     "hours, at a lower price."),
    ("Batch-eligible", "The log supports that the results of these calls can wait for hours."),
    ("Gray area", "The log cannot tell whether anyone waits; the owner can."),
    ("Realtime", "Evidence says that someone or something waits for the answer."),
    ("Workload", "One caller doing one kind of call with one model and one prompt template."),
    ("Worth moving", "Batch-eligible, at least 100 calls within 24 hours, no deadline under 24 "
     "hours, and a saving even if every cache hit is lost."),
    ("Low, expected, high", "The saving if no, the likely, or every cache hit of today survives in "
     "the batch. Conservative and best are the names of low and high in the JSON."),
    ("Observed", "On the days of the log, at the prices of each call's own day."),
    ("A month, projected", "The observed days scaled to 30 days at today's price card."),
    ("Confidence", "The share of labels of this kind that proved right on the development set: "
     "high from 0.9, medium from 0.7, unproven where none was measured."),
    ("Flex tier", "The same request at a lower price: slower, and refused when it is busy."),
    ("Weight", "How much a rule counts, as log2 of the odds: +1 doubles them, -1 halves them."),
)  # fmt: skip

COMMANDS = (
    ("llm-audit explain WORKLOAD", "why one workload has its label, with sample calls"),
    ("llm-audit review", "ask the owners of the gray area, and keep their answers"),
    ("llm-audit migrate --dry-run", "plan the batches of what can be moved; nothing is sent"),
    ("llm-audit report --out savings.html", "this page again"),
    ("llm-audit report --out run.json", "the same result for programs"),
    ("llm-audit reconcile EXPORT", "hold a provider's own usage or cost export against it"),
    ("llm-audit prices check", "which prices of the card want another look"),
    ('llm-audit sql "SELECT * FROM savings"', "ask the tables anything, read-only"),
)
"""Those that exist whatever the log holds; every one is a command of this program (a test)."""

EFFORT_RULES = (
    ("Very low", "flex: one parameter of the request changes"),
    ("Low", "a move to the batch API starts here: requests go to a file, answers are read later"),
    ("one less", "some calls of the workload run in batches today"),
    ("one more", "independence is not supported: calls may wait for each other"),
    ("one more", "storage is not supported: answers may have no place to go"),
    ("one more", "10% of its calls or more stream"),
    ("one more", "its busiest day needs more than one batch"),
)
"""`actions._effort` in words."""

RISK_RULES = (
    ("Low", "its owner says that the results can wait, or the log supports it"),
    ("Medium", "only hints say so"),
    ("High", "nothing in the log says so"),
    ("one more", "a finding speaks against waiting"),
    ("Unknown", "nobody has answered yet"),
)
"""`actions._risk` in words."""
