# Each target sets up what it needs: Python 3.11 and make are enough to begin with.

# The first of these that is Python 3.11 or newer; PYTHON=/path/to/python chooses another.
PYTHON ?= $(firstword $(foreach each,python3.11 python3 python,$(shell $(each) -c \
	"import sys; sys.version_info >= (3, 11) and print('$(each)')" 2>/dev/null)) python3.11)
VENV := .venv
BIN := $(VENV)/bin
# What stands installed: enough to run the site, and enough to work on it.
READY := $(VENV)/ready
READY_DEV := $(VENV)/ready-dev
# `make test ARGS="-k unsubscribe"`
ARGS ?=

.PHONY: help run test check bench lock clean chromium books

help:
	@echo "make run     the sample site on http://127.0.0.1:8000 (ARGS=\"--port 8080\")"
	@echo "make test    all tests (ARGS=\"-k unsubscribe\")"
	@echo "make check   ruff, mypy, the layers, and the sample's own files"
	@echo "make bench   how fast, as ratios to limits measured in the same run (ARGS=\"page capture\")"
	@echo "make lock    write requirements/*.txt anew from pyproject.toml"
	@echo "make clean   remove what these made, but never instance/"

# A site that is still empty gets a sample history first, so that its desk has something to show.
run: $(READY)
	@$(BIN)/handsel demo --if-empty
	@$(BIN)/handsel run $(ARGS)

test: $(READY_DEV) chromium books
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(READY_DEV)
	$(BIN)/ruff check site tests wsgi.py
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/handsel check

bench: $(READY_DEV)
	@$(BIN)/python tests/bench/run.py $(ARGS)

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: $(VENV)/tools
	$(COMPILE) --group build -o requirements/build.txt $(ARGS)
	$(COMPILE) pyproject.toml -o requirements/base.txt $(ARGS)
	$(COMPILE) --extra dev pyproject.toml -o requirements/dev.txt $(ARGS)

clean:
	rm -rf $(VENV) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find site tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The tools that install the rest, locked with their hashes as everything is.
$(VENV)/tools: requirements/build.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python

# The locked packages, then ourselves, editable, without asking for anything more.
$(READY): $(VENV)/tools requirements/base.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements/base.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(READY_DEV): $(READY) requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# Browser tests drive Debian's Chromium; set HANDSEL_CHROMIUM to use another one.
chromium:
	@test -x "$$HANDSEL_CHROMIUM" || command -v chromium >/dev/null || { \
		if [ "$$(id -u)" = 0 ]; then apt-get -q update && apt-get -q install -y chromium; \
		elif sudo -n true 2>/dev/null; then sudo apt-get -q update && sudo apt-get -q install -y chromium; \
		else echo "The browser tests need Chromium. Run: sudo apt-get install chromium"; exit 1; fi; }

# What prints guides as PDF, and what checks them as EPUB. A site needs only the libraries, and works without them too.
BOOKS := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core default-jre-headless epubcheck
books:
	@dpkg -s $(BOOKS) >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ]; then apt-get -q update && apt-get -q install -y --no-install-recommends $(BOOKS); \
		elif sudo -n true 2>/dev/null; then sudo apt-get -q update && sudo apt-get -q install -y --no-install-recommends $(BOOKS); \
		else echo "The tests of guides need: sudo apt-get install --no-install-recommends $(BOOKS)"; exit 1; fi; }
