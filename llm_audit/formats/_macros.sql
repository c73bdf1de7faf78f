-- Conversions that every format needs. Loaded once per connection, before any format.
-- A leaf arrives as text, so that a wrong value can be told from a missing one.

-- Text is there, but it is no count: not a whole number, negative, or beyond any context window.
CREATE OR REPLACE TEMP MACRO is_bad_count(leaf) AS
  CASE
    WHEN leaf IS NULL THEN false
    WHEN TRY_CAST(leaf AS UINTEGER) IS NULL THEN true
    WHEN contains(leaf, '.') THEN TRY_CAST(leaf AS DOUBLE) <> TRY_CAST(leaf AS UINTEGER)
    ELSE false
  END;

-- A count of tokens: a whole number that is not negative, else NULL.
CREATE OR REPLACE TEMP MACRO to_count(leaf) AS CAST(TRY_CAST(leaf AS UINTEGER) AS BIGINT);

-- As much of a wrong value as tells what it is: it may be a text that must not be kept.
CREATE OR REPLACE TEMP MACRO wrong_value(leaf) AS
  CASE
    WHEN regexp_matches(leaf, '^[+-]?[0-9]') THEN substr(leaf, 1, 32)
    WHEN strlen(leaf) <= 32 AND NOT contains(leaf, ' ') THEN leaf
    ELSE 'a text of ' || length(leaf) || ' characters'
  END;

-- Why a line is rejected for one of its counts; NULL when that count is good or missing.
CREATE OR REPLACE TEMP MACRO bad_count(name, leaf) AS
  CASE WHEN is_bad_count(leaf) THEN name || ' is not a count: ' || wrong_value(leaf) END;

-- Epoch seconds, milliseconds, microseconds or nanoseconds by size; else ISO 8601 or an HTTP date.
-- Text without an offset is UTC. Only 2015 to 2099: what lies outside was written by a clock that was
-- never set, or stands for "no time".
CREATE OR REPLACE TEMP MACRO to_time(leaf) AS
  CASE
    WHEN TRY_CAST(leaf AS DOUBLE) BETWEEN 1420070400 AND 4102444799
      THEN make_timestamp(CAST(TRY_CAST(leaf AS DOUBLE) * 1e6 AS BIGINT))
    WHEN TRY_CAST(leaf AS DOUBLE) BETWEEN 1420070400e3 AND 4102444799e3
      THEN make_timestamp(CAST(TRY_CAST(leaf AS DOUBLE) * 1e3 AS BIGINT))
    WHEN TRY_CAST(leaf AS DOUBLE) BETWEEN 1420070400e6 AND 4102444799e6
      THEN make_timestamp(CAST(TRY_CAST(leaf AS DOUBLE) AS BIGINT))
    WHEN TRY_CAST(leaf AS DOUBLE) BETWEEN 1420070400e9 AND 4102444799e9
      THEN make_timestamp(CAST(TRY_CAST(leaf AS DOUBLE) / 1e3 AS BIGINT))
    WHEN TRY_CAST(leaf AS DOUBLE) IS NOT NULL THEN NULL
    WHEN ltrim(leaf) BETWEEN '2015' AND '2100'
      THEN CAST(TRY_CAST(leaf AS TIMESTAMPTZ) AS TIMESTAMP)
    WHEN substr(leaf, 13, 4) BETWEEN '2015' AND '2099'
      THEN try_strptime(leaf, '%a, %d %b %Y %H:%M:%S GMT')
  END;

CREATE OR REPLACE TEMP MACRO milliseconds_between(first, last) AS
  (epoch_us(last) - epoch_us(first)) / 1000.0;

-- The tier that was billed. 'auto' is no answer.
CREATE OR REPLACE TEMP MACRO to_tier(leaf) AS
  CASE lower(leaf)
    WHEN 'default' THEN 'standard'
    WHEN 'standard' THEN 'standard'
    WHEN 'standard_only' THEN 'standard'
    WHEN 'on_demand' THEN 'standard'
    WHEN 'flex' THEN 'flex'
    WHEN 'priority' THEN 'priority'
    WHEN 'fast' THEN 'priority'
    WHEN 'batch' THEN 'batch'
  END;

-- Gateways' short provider names to OpenTelemetry's gen_ai.provider.name.
CREATE OR REPLACE TEMP MACRO to_provider(leaf) AS
  CASE lower(leaf)
    WHEN 'azure' THEN 'azure.ai.openai'
    WHEN 'azure_ai' THEN 'azure.ai.inference'
    WHEN 'bedrock' THEN 'aws.bedrock'
    WHEN 'bedrock_converse' THEN 'aws.bedrock'
    WHEN 'vertex_ai' THEN 'gcp.vertex_ai'
    WHEN 'vertex_ai_beta' THEN 'gcp.vertex_ai'
    WHEN 'gemini' THEN 'gcp.gemini'
    WHEN 'mistral' THEN 'mistral_ai'
    WHEN 'xai' THEN 'x_ai'
    WHEN 'watsonx' THEN 'ibm.watsonx.ai'
    WHEN 'text-completion-openai' THEN 'openai'
    WHEN '' THEN NULL
    ELSE lower(leaf)
  END;

-- '24h', '90 min', '2 days', '3600' (seconds) to seconds; NULL when it is not a duration.
CREATE OR REPLACE TEMP MACRO span_to_seconds(leaf) AS
  TRY_CAST(regexp_extract(lower(trim(leaf)), '^([0-9]+(?:\.[0-9]+)?)', 1) AS DOUBLE)
  * CASE regexp_extract(lower(trim(leaf)), '^[0-9.]+\s*([a-z]*)$', 1)
      WHEN '' THEN CASE WHEN TRY_CAST(leaf AS DOUBLE) IS NOT NULL THEN 1 END
      WHEN 's' THEN 1 WHEN 'sec' THEN 1 WHEN 'second' THEN 1 WHEN 'seconds' THEN 1
      WHEN 'ms' THEN 0.001
      WHEN 'm' THEN 60 WHEN 'min' THEN 60 WHEN 'minute' THEN 60 WHEN 'minutes' THEN 60
      WHEN 'h' THEN 3600 WHEN 'hr' THEN 3600 WHEN 'hour' THEN 3600 WHEN 'hours' THEN 3600
      WHEN 'd' THEN 86400 WHEN 'day' THEN 86400 WHEN 'days' THEN 86400
    END;

-- How long a 'key:value' tag says that the result may take; NULL for any other tag. A latency
-- without a unit may well be milliseconds, and two minutes of them are no day and a half of seconds:
-- of two readings the shorter one.
CREATE OR REPLACE TEMP MACRO tag_tolerance_s(tag) AS
  CASE
    WHEN lower(split_part(tag, ':', 1)) IN ('max_latency', 'latency_tolerance', 'sla')
      AND TRY_CAST(substr(tag, strpos(tag, ':') + 1) AS DOUBLE) >= 1000
      THEN TRY_CAST(substr(tag, strpos(tag, ':') + 1) AS DOUBLE) / 1000
    WHEN lower(split_part(tag, ':', 1)) IN ('max_delay', 'max-delay', 'tolerance', 'max_latency',
      'latency_tolerance', 'completion_window', 'sla', 'due_in', 'batch_window')
      THEN span_to_seconds(substr(tag, strpos(tag, ':') + 1))
    WHEN lower(split_part(tag, ':', 1)) IN ('sla_hours', 'tolerance_hours', 'max_delay_hours')
      THEN 3600 * TRY_CAST(substr(tag, strpos(tag, ':') + 1) AS DOUBLE)
    WHEN lower(split_part(tag, ':', 1)) IN ('sla_minutes', 'tolerance_minutes', 'max_delay_minutes')
      THEN 60 * TRY_CAST(substr(tag, strpos(tag, ':') + 1) AS DOUBLE)
  END;

-- Metadata entries as 'key:value' tags, long values cut.
CREATE OR REPLACE TEMP MACRO map_to_tags(entries) AS
  list_transform(map_entries(entries),
    lambda entry: entry.key || ':' || substr(entry.value, 1, 80));

-- The fixed part of a prompt: a system prompt if there is one, else how the first message begins.
-- Digits are dates and ids more often than meaning: they go.
CREATE OR REPLACE TEMP MACRO template_of(role, content) AS
  CASE WHEN content IS NOT NULL THEN CAST(hash(translate(
    CASE WHEN role IN ('system', 'developer') THEN substr(content, 1, 400)
      ELSE 'user:' || substr(content, 1, 48) END,
    '0123456789', ''
  )) AS VARCHAR) END;

-- A prompt that a logger took out: what stands in its place says nothing about the call.
-- (CASE, because AND would trim the long ones, too.)
CREATE OR REPLACE TEMP MACRO is_redacted(content) AS
  CASE WHEN strlen(content) < 40 THEN lower(trim(content, '"[]_ ')) IN
    ('redacted-by-litellm', 'redacted_by_litelm', 'redacted_by_litellm', 'redacted')
  ELSE false END;

-- A prompt that a logger cut short: still told from others, but not to be replayed. (The bracket
-- makes it a quick search: a letter stands everywhere.)
CREATE OR REPLACE TEMP MACRO is_truncated(content) AS contains(content, '(litellm_truncated');

-- Where the vendor ran the call, which may change its price (pricing/modifiers.csv).
CREATE OR REPLACE TEMP MACRO to_region(leaf) AS
  nullif(nullif(lower(leaf), ''), 'not_available');

-- OpenAI's data residency endpoints: https://eu.api.openai.com
CREATE OR REPLACE TEMP MACRO url_to_region(url) AS
  nullif(regexp_extract(url, '^https://([a-z]{2})\.api\.openai\.com(?:/|$)', 1), '');

-- Who is paid, from the address that was called; `fallback` where the log has no address.
CREATE OR REPLACE TEMP MACRO url_to_provider(url, fallback) AS
  CASE
    WHEN nullif(url, '') IS NULL OR starts_with(url, '/') THEN fallback
    WHEN contains(url, 'api.openai.com') THEN 'openai'
    WHEN contains(url, 'api.anthropic.com') THEN 'anthropic'
    WHEN contains(url, '.azure.com') THEN 'azure.ai.openai'
    WHEN contains(url, 'amazonaws.com') THEN 'aws.bedrock'
    WHEN contains(url, 'aiplatform.googleapis.com') THEN 'gcp.vertex_ai'
    WHEN contains(url, 'generativelanguage.googleapis.com') THEN 'gcp.gemini'
    WHEN contains(url, 'openrouter.ai') THEN 'openrouter'
    WHEN contains(url, 'api.groq.com') THEN 'groq'
    WHEN contains(url, 'api.deepseek.com') THEN 'deepseek'
    WHEN contains(url, 'api.mistral.ai') THEN 'mistral_ai'
    WHEN contains(url, 'api.x.ai') THEN 'x_ai'
    ELSE COALESCE(nullif(regexp_extract(url, '^[a-z]+://([^/:?#]+)', 1), ''), fallback)
  END;

-- 'ok' unless the provider refused; 499 is a gateway's word for "the client went away".
CREATE OR REPLACE TEMP MACRO to_status(http_status, has_error) AS
  CASE
    WHEN TRY_CAST(http_status AS INTEGER) = 499 THEN 'cancelled'
    WHEN has_error OR TRY_CAST(http_status AS INTEGER) >= 400 THEN 'error'
    ELSE 'ok'
  END;

-- Does any message carry a tool's answer? Roles and types of OpenAI chat, Responses and Anthropic.
CREATE OR REPLACE TEMP MACRO any_tool_result(messages) AS
  list_bool_or(list_transform(messages, lambda message:
    COALESCE(message.role IN ('tool', 'function'), false)
    OR COALESCE(message.type = 'function_call_output', false)
    OR COALESCE(message.role = 'user' AND starts_with(message.content, '[')
      AND contains(message.content, '"tool_result"'), false)));

-- The JSON documents behind the `data:` lines of a server-sent event stream.
CREATE OR REPLACE TEMP MACRO sse_events(stream) AS
  list_filter(
    list_transform(string_split(replace(stream, chr(13), ''), chr(10)), lambda line:
      CASE WHEN starts_with(line, 'data:') AND json_valid(trim(substr(line, 6)))
        THEN CAST(trim(substr(line, 6)) AS JSON) END),
    lambda event: event IS NOT NULL);

-- How much a row tells about its call, to choose among several rows of one call.
CREATE OR REPLACE TEMP MACRO call_quality(
  service_tier, tokens_source, started_at, message_count, caller
) AS
  CASE WHEN service_tier = 'batch' THEN 16 ELSE 0 END
  + CASE WHEN tokens_source = 'reported' THEN 8 ELSE 0 END
  + CASE WHEN started_at IS NOT NULL THEN 4 ELSE 0 END
  + CASE WHEN message_count IS NOT NULL THEN 2 ELSE 0 END
  + CASE WHEN caller IS NOT NULL THEN 1 ELSE 0 END;
