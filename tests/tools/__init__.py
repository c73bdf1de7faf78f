"""Generators that a person runs by hand; tests check that the committed output is theirs."""
