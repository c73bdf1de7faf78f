"""Eligible calls -> batches: plan, submit, collect and verify, each request bought exactly once."""
