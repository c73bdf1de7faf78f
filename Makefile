# Two commands for newcomers: `make demo` and `make test`. Both make .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint eval bench parity screenshots sample-logs price-coverage price-release clean

help:  ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

demo: $(VENV)/.installed  ## Audit sample_logs/ and write savings.html
	@$(BIN)/llm-audit ingest sample_logs
	@$(BIN)/llm-audit report --out savings.html

test: $(VENV)/.installed-test lint  ## Run every check and test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.installed-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

eval: $(VENV)/.installed-test  ## Measure the labels on the development set in ../shared
	@$(BIN)/python -m tests.evaluation.run

$(VENV)/.installed-bench: $(VENV)/.installed-test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@

bench: $(VENV)/.installed-bench  ## Measure speed and memory (about fifteen minutes)
	@$(BIN)/python -m tests.bench.run

$(VENV)/.installed-spark: $(VENV)/.installed-test
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,spark]'
	@touch $@

parity: $(VENV)/.installed-spark  ## Run sql/ on Spark too and compare (needs Java 17; two minutes)
	@$(BIN)/python -m tests.portable.parity

screenshots: $(VENV)/.installed-test  ## Take pictures of the report into screenshots/
	@$(BIN)/python -m tests.tools.screenshots screenshots

sample-logs: $(VENV)/.installed  ## Make sample_logs/ anew
	@$(BIN)/python tests/tools/make_sample_logs.py

price-coverage: $(VENV)/.installed-test  ## Print what stays unpriced in ../shared/logs
	@$(BIN)/python -m tests.tools.price_coverage

price-release: $(VENV)/.installed  ## Close a release of pricing/: VERSION=2026.12.01 NOTE="..."
	@$(BIN)/python tests/tools/release_prices.py "$(VERSION)" --note "$(NOTE)"

clean:  ## Remove what make made
	rm -rf $(VENV) .llm-audit savings.html screenshots .pytest_cache .mypy_cache .ruff_cache .hypothesis
