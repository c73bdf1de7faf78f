"""A scripted fake of OpenAI's and Anthropic's batch APIs, over real HTTP on 127.0.0.1.

    python -m tests.migrate.fake --state DIR [--port 0] [--scenario FILE]     prints its port

It is a process of its own and keeps its state in DIR/state.sqlite: what a call changes, its line
in the journal included, is one transaction, committed before the reply goes out. So the client
can be killed at any point (and the fake too), and the journal tells what was really bought. From
a test: `process.running_fake(folder, scenario)`, `FakeProcess.play(scenario)` to begin anew in
the same process (about 5 ms), `.control(advance=3600)`, `.journal`. OpenAI's base URL ends in /v1.

Strict by default (batch.md 1.1, 1.2): every limit and id rule is checked, and a key that a vendor
does not know is refused. Answers are deterministic: the text echoes the marker that the prompt
holds between [[ and ]] ("echo MARKER"; {"echo": "MARKER"} where JSON is asked for), or the first 16
digits of the body's digest. Tokens come from the body (bodies.py). No key is kept, only its
fingerprint, `journal.fingerprint(key)`; an account is a key.

A scenario is a JSON object; every key may be absent; an unknown one is refused with 400.

`clock`     {"start": unix seconds at which it stands (null: the real clock), "per_request": s,
            "per_poll": s that it moves on by itself}. `POST /_control {"advance": s}` moves it.
`openai`, `anthropic`   limits by name, as in scenario.OpenAILimits and AnthropicLimits: requests,
            file_bytes / body_bytes, upload_bytes, enqueued_tokens {"model" or "*": n},
            queued_requests, metadata_pairs / _key / _value, custom_id (a regex), embedding_inputs,
            batches_per_hour, requests_per_minute, models [..], window_seconds (24 h),
            file_seconds (30 d), results_seconds (29 d).
`accounts`  fingerprints of the keys that are let in; others get 401.
`faults`    [{"op": ..., ...}] the first that fits a call strikes:
    op      a pattern of: openai.files.create|list|retrieve|delete|content,
            openai.batches.create|list|retrieve|cancel,
            anthropic.batches.create|list|retrieve|cancel|delete|results,
            openai.sync.create, anthropic.sync.create (the ordinary endpoints: synchronous.py)
    nth     which calls: 2, [1, 4], "2-5", "3-", null for all. Counted from 1 since the scenario
            was set, over the operation, or per object with "per": "object"
    batch   only calls about the vendor's nth batch (its create, polls, results and result files)
    when    "before" it is heard (default: nothing happened) | "after" it was committed |
            "late": answered at once, and committed "late": 200 seconds later
    reply   a status: 429, 500, 502, 529, 409, 404, 401 ... with "retry_after": 7, "inf", a date
            or "+7" (the date in 7 s), "type" / "code" / "message" of the error ("{key}": the key
            that came), "body": "json" | "html" | "empty" | any JSON to send. 200 as well: with
            "html", "empty", {} or {"status": "ok"} it is none of the vendor's;
            "reset" (TCP RST), "close" (no byte, orderly end);
            "cut" (needs "after"): the reply stops "at": 0.5 of its body or after "at_line": k,
            with its content-length told, or not if "length": false ("at": 1.0: all, unmeasured)
    query   asked with this query instead: {} for a list that knows no cursor
    drop, put   keys that a real reply lacks, and that it has changed: ["has_more"],
            {"has_more": true}; "a.b" is key b of the object under a
    delay   seconds between commit and reply: room to kill the client in; long, it is a timeout
`batches`   [{selectors, life}] the first whose selectors fit a new batch is its plan.
    selectors: vendor, nth (in its vendor, since reset), model, custom_id (patterns; of line 1)
    polls   status after the 1st, 2nd .. retrieve, the last for ever: validating in_progress
            finalizing completed expired cancelled. Default [in_progress, completed]. The same
            words for Anthropic, which shows in_progress, canceling, ended. Lists do not move it.
            Without an end it runs until the clock passes its 24 h, and expires.
    ends_after   s after creation before which it does not end, however often it is looked at
    done    share of the rows, from the first, that are done when it expires or is cancelled (0.5)
    cancel_polls  retrieves that still say cancelling (1)
    not_found, unlisted, results_not_found   so many retrieves / lists / downloads do not see it
    fail    OpenAI: [{"code", "line", "message"}] the file fails validation, nothing is bought:
            token_limit_exceeded, billing_hard_limit_reached, invalid_json_line ...
            unless "fail_done": 0.5 says which share of the rows was done before it failed
    duplicate, conflict, missing, bad_json   numbers of requests (from 1) whose line comes twice,
            twice with different answers, not at all, cut in half; stranger: n lines of unknown
            ids; stranger_ids: of hostile ones: surrogate, control, long, empty, number
    shuffle true: the order of result lines is not that of the requests
    gone    ["output", "error", "results"]: these cannot be downloaded (404)
    output_late, files_after   so many retrieves, and so many seconds, that show the end without
            file ids (Anthropic: without results_url)
    no_errors   error_file_id of a clean OpenAI batch: "null", "blank_id" (""), "empty_file"
    counts  "right", "all_completed" (a lie), null, or the object to show
    usage   false: OpenAI's batch.usage is null
    results_url   Anthropic's, instead of ours; {id}, {base} and {host} are filled in
    drop, put   keys that every showing of it lacks or has changed: {"request_counts": null},
            {"request_counts.queued": 1}, {"status": "paused"}, {"created_at": 1e25}
    cache_read, cache_write   share of prompt tokens; answered_model  instead of the asked one
`rows`      [{"outcome": ..., selectors}] the first that fits a row, else ok. A row that the vendor
            objects to itself (max_tokens 0, model not in `models`) has its error in any case.
    selectors: vendor, batch (nth), lines, custom_id, marker (patterns), share (0.1: always the
            same tenth of markers; "seed" for another tenth), attempt (nth batch with this body)
    twist   what is odd about the line of an answer: no_usage, float_usage, negative_usage,
            huge_usage (over 2^63), cached_over_input, status_text ("200"), status_float,
            status_absent (of a row that has its answer), odd_model, deep (100,000 brackets)
    message   of a row's error
    billed: ok, split (text in two parts), truncated (length / max_tokens), refusal, filtered,
            tool_use, pause_turn (Anthropic; ok at OpenAI)
    not billed: bad_request (400), no_status (0 and an empty body), rate_limited, server_error,
            overloaded, timeout, expired (batch_expired), canceled, credit (balance too low /
            insufficient_quota), no_model, unwrapped (Anthropic's error without its wrapper)

`foreign`   [{"vendor", "nth": 1, "when": "before" | "after", "count": 1, "age": s, "requests": n,
            "ended": true, "life": {..}}] somebody else's batches in the account of the key, made
            with the nth create, just before or behind it, or `age` seconds earlier; of the same
            size (Anthropic) unless `requests` says otherwise. They are in lists, and to be
            retrieved and read (of over 100 at once there are no results), not in the journal.

What a row costs is settled when its batch is created, so that a batch nobody ever polls counts as
bought; a cancel or a late expiry takes back the rows that were not done.

Anthropic's API versions differ (anthropic_rules.py): 2026-10-21, which the SDK sends unless told
otherwise, has an error row for each request with temperature, top_p or top_k.

Not known of the vendors, and so our own choice: deleting the input of a running batch is 409; a
missing input file is 400 at create; codes beyond those in batch.md (openai_rules.py).
"""
