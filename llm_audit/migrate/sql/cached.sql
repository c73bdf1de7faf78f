-- Tokens that the logged calls $calls read from a cache and wrote into one, where they did either.
SELECT
  cards.call_id,
  cards.read_tokens,
  cards.write_5m_tokens + cards.write_1h_tokens AS write_tokens
FROM (SELECT DISTINCT unnest($calls) AS call_id) AS asked
JOIN call_cards AS cards ON cards.call_id = asked.call_id
WHERE cards.read_tokens + cards.write_5m_tokens + cards.write_1h_tokens > 0
