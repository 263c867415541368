# Every target does the set-up that it needs. `make run` and `make test` are all that a fresh machine needs.

PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	command -v $$python >/dev/null 2>&1 && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run
TEST_STAMP := $(VENV)/.test
# The environment is made from the locks alone, whatever the caller's shell points Python at.
unexport PYTHONPATH

.PHONY: setup run test lint bench soak fuzz pictures lock vendor system-packages
.DEFAULT_GOAL := help

help:
	@echo "make run    the dashboard on http://127.0.0.1:8050"
	@echo "make test   every test; sets up what it needs"
	@echo "make lint   format, lint, types, floors"
	@echo "make bench  the table of measurements, written to tests/benchmarks/RESULTS.md"
	@echo "make pictures  the pictures of the README, in docs/"
	@echo "make soak   the tests that take long, in full;  make fuzz  the random ones"
	@echo "make setup  only the set-up;  make lock  new locks"

# A smaller plotly.js halves the time to the first candle; without it the page takes the one that Dash brings.
setup: $(RUN_STAMP)
	@$(BIN)/python infra/vendor.py

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; install it, or say make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "A virtual environment could not be made; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(RUN_STAMP): requirements/base.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/base.txt
	@touch $@

$(TEST_STAMP): requirements/test.txt $(RUN_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/test.txt
	@touch $@

# What could not be fetched is left alone for a day; this tries again at once.
vendor: $(RUN_STAMP)
	@$(BIN)/python infra/vendor.py --again

run: setup
	@exec $(BIN)/python app.py

system-packages:
	@sh infra/system-packages.sh

test: setup $(TEST_STAMP) system-packages
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

lint: $(TEST_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup $(TEST_STAMP) system-packages
	$(BIN)/python -m tests.benchmarks

# Alone on the machine: here milliseconds, tails and ratios are judged too.
soak: setup $(TEST_STAMP) system-packages
	$(BIN)/python -m pytest -m soak --full --timeout 10800 -v -rs

fuzz: setup $(TEST_STAMP) system-packages
	$(BIN)/python -m pytest -m fuzz --full --timeout 10800 -v -rs

pictures: setup $(TEST_STAMP) system-packages
	$(BIN)/python -m tests.pictures

# Without addresses of an index, so that a lock works wherever packages come from.
lock: $(TEST_STAMP)
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --output-file requirements/base.txt pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra test --extra assets --constraint requirements/base.txt --output-file requirements/test.txt pyproject.toml
