"""The benchmark behind `make bench`: not a test, nothing here is collected."""
