"""Calls that are obeyed some time after they were answered, as behind a gateway that gave up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from tests.migrate.fake.store import Store
from tests.migrate.fake.wire import Call, Reply

SECRETS = ("authorization", "x-api-key")


def keep(store: Store, call: Call, seconds: float) -> None:
    """Obey it in so many seconds; without its key, which no state has."""
    headers = {name: text for name, text in call.headers.items() if name not in SECRETS}
    data = asdict(call) | {"headers": headers, "body": None, "late": seconds}
    store.db.execute(
        "INSERT INTO late (due, heard, call, body) VALUES"
        " (?, (SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'journal'),"
        " ?, ?)",
        (store.now() + seconds, json.dumps(data), call.body),
    )


def obey(store: Store, perform: Callable[[Call], Reply]) -> None:
    """Those whose time has come, at their time; the line in the journal then says so."""
    due = store.db.execute(
        "SELECT seq, due, heard, call, body FROM late WHERE due <= ? ORDER BY due", (store.now(),)
    ).fetchall()
    for seq, at, heard, text, body in due:
        store.db.execute("DELETE FROM late WHERE seq = ?", (seq,))
        data = json.loads(text)
        store.at, store.late = at, data.pop("late")
        try:
            reply = perform(Call(**data | {"body": body}))
        finally:
            store.at, store.late = None, 0.0
        store.db.execute(
            "UPDATE journal SET committed = ? WHERE seq = ?", (int(reply.status < 400), heard)
        )
