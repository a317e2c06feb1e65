# Each target sets up what it needs: Python 3.11 and make are enough to begin with.

# The first of these that is Python 3.11 or newer; PYTHON=/path/to/python chooses another.
PYTHON ?= $(firstword $(foreach each,python3.11 python3 python,$(shell $(each) -c \
	"import sys; sys.version_info >= (3, 11) and print('$(each)')" 2>/dev/null)) python3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# `make test ARGS="-k unsubscribe"`
ARGS ?=

.PHONY: help run test check bench lock clean chromium

help:
	@echo "make run     the sample site on http://127.0.0.1:8000 (ARGS=\"--port 8080\")"
	@echo "make test    all tests (ARGS=\"-k unsubscribe\")"
	@echo "make check   ruff, mypy, the layers, and the sample's own files"
	@echo "make bench   how fast, as ratios to limits measured in the same run (ARGS=\"page capture\")"
	@echo "make lock    write requirements/*.txt anew from pyproject.toml"
	@echo "make clean   remove what these made, but never instance/"

run: $(READY)
	@$(BIN)/handsel run $(ARGS)

test: $(READY) chromium
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(READY)
	$(BIN)/ruff check site tests wsgi.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/handsel check

bench: $(READY)
	@$(BIN)/python tests/bench/run.py $(ARGS)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml -o requirements/base.txt $(ARGS)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra dev pyproject.toml -o requirements/dev.txt $(ARGS)

clean:
	rm -rf $(VENV) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find site tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The locked packages with their hashes, then ourselves, editable, without asking for anything more.
$(READY): requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Browser tests drive Debian's Chromium; set HANDSEL_CHROMIUM to use another one.
chromium:
	@test -x "$$HANDSEL_CHROMIUM" || command -v chromium >/dev/null || { \
		if [ "$$(id -u)" = 0 ]; then apt-get -q update && apt-get -q install -y chromium; \
		elif sudo -n true 2>/dev/null; then sudo apt-get -q update && sudo apt-get -q install -y chromium; \
		else echo "The browser tests need Chromium. Run: sudo apt-get install chromium"; exit 1; fi; }
