-- Conversions that the exports' formats need beside `_macros.sql`. Loaded before the first export.

-- Digits, with a point or an exponent perhaps: neither a sign nor NaN nor a decimal comma.
CREATE OR REPLACE TEMP MACRO is_plain_number(leaf) AS
  regexp_full_match(trim(leaf), '\+?([0-9]{1,18}\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?');

-- A quantity below 10^18, else NULL: a vector store's bytes, not a hostile sum that overflows.
CREATE OR REPLACE TEMP MACRO to_quantity(leaf) AS
  CASE WHEN is_plain_number(leaf) AND TRY_CAST(trim(leaf) AS DOUBLE) < 1e18
    THEN TRY_CAST(trim(leaf) AS DECIMAL(38, 6)) END;

-- An amount of money below 10^12, else NULL. A credit is below zero.
CREATE OR REPLACE TEMP MACRO to_amount(leaf) AS
  CASE WHEN is_plain_number(regexp_replace(trim(leaf), '^-', ''))
      AND abs(TRY_CAST(trim(leaf) AS DOUBLE)) < 1e12
    THEN TRY_CAST(trim(leaf) AS DECIMAL(38, 12)) END;

-- As much of a wrong value as is surely no name and no address: figures only.
CREATE OR REPLACE TEMP MACRO wrong_figure(leaf) AS
  CASE WHEN regexp_full_match(leaf, '[-+0-9.,eE_ ]{1,32}') THEN leaf
    ELSE 'a text of ' || length(leaf) || ' characters' END;

-- Why a record is rejected for one of its numbers; NULL when that is good, blank or missing.
CREATE OR REPLACE TEMP MACRO bad_quantity(name, leaf) AS
  CASE WHEN trim(leaf) <> '' AND to_quantity(leaf) IS NULL
    THEN name || ' is no quantity: ' || wrong_figure(leaf) END;

CREATE OR REPLACE TEMP MACRO bad_amount(name, leaf) AS
  CASE WHEN trim(leaf) <> '' AND to_amount(leaf) IS NULL
    THEN name || ' is no amount: ' || wrong_figure(leaf) END;

-- A part of a record that must be an object if it is there at all; read as a STRUCT, another thing
-- in its place would pass for a part that is missing.
CREATE OR REPLACE TEMP MACRO bad_object(name, part) AS
  CASE WHEN json_type(part) NOT IN ('OBJECT', 'NULL') THEN name || ' is no object' END;

-- Exchange rates are not ours to guess.
CREATE OR REPLACE TEMP MACRO bad_currency(leaf) AS
  CASE WHEN trim(leaf) <> '' AND lower(trim(leaf)) <> 'usd'
    THEN 'an amount that is not in US dollars' END;

-- One kind of token (or fee) of a record: how many, or what it cost.
CREATE OR REPLACE TEMP MACRO charged(kind, number, amount) AS
  struct_pack(token_kind := CAST(kind AS VARCHAR), quantity := CAST(number AS DECIMAL(38, 6)),
    amount_usd := CAST(amount AS DECIMAL(38, 12)));

CREATE OR REPLACE TEMP MACRO measured(kind, number) AS charged(kind, number, NULL);

-- Vendors' words for a tier; NULL for one that we do not price.
CREATE OR REPLACE TEMP MACRO to_export_tier(leaf) AS
  CASE
    WHEN lower(leaf) IN ('message', 'messages') THEN 'standard'
    WHEN contains(lower(leaf), 'batch') THEN 'batch'
    WHEN starts_with(lower(leaf), 'flex') THEN 'flex'
    ELSE to_tier(trim(leaf))
  END;

-- Who used it, so that records of two users stay two, without saying who.
CREATE OR REPLACE TEMP MACRO to_user_hash(leaf) AS md5(nullif(trim(leaf), ''));

-- The columns' own word for "does not say".
CREATE OR REPLACE TEMP MACRO if_known(leaf) AS nullif(nullif(trim(leaf), ''), 'not_available');

-- A text that may be stored: never a key, an address or (in Claude Code's key names) a user's name.
-- What is taken out is replaced by a hash, so that two stay two.
CREATE OR REPLACE TEMP MACRO to_export_text(leaf) AS
  CASE
    WHEN COALESCE(trim(leaf), '') = '' THEN NULL
    WHEN regexp_matches(leaf, '(^|[^A-Za-z0-9])sk-') THEN 'redacted key ' || substr(md5(leaf), 1, 8)
    WHEN regexp_matches(leaf, '[^\s@]@[^\s@]+\.[A-Za-z]{2}')
      THEN 'redacted address ' || substr(md5(leaf), 1, 8)
    WHEN starts_with(leaf, 'claude_code_key_')
      THEN 'claude_code_key_' || substr(md5(substr(leaf, 17)), 1, 8)
    WHEN length(leaf) > 400 THEN substr(leaf, 1, 400) || '… ' || substr(md5(leaf), 1, 8)
    ELSE trim(leaf)
  END;

-- What makes two records the same record: everything but their numbers.
CREATE OR REPLACE TEMP MACRO record_identity(
  source_format, bucket_start, bucket_end, provider_name, model, service_tier, api_key, export_keys
) AS
  md5(to_json([source_format, CAST(bucket_start AS VARCHAR), CAST(bucket_end AS VARCHAR),
    provider_name, model, service_tier, api_key, CAST(export_keys AS VARCHAR)]));
