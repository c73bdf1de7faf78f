"""The page in a real Chromium: what it looks like, what it does, and what it never does."""
