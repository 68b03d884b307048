# Two commands for a newcomer: make demo, make test. Each does all set-up by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   ?= demo

# uv looks for local wheels where pip does.
UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export UV_FIND_LINKS

.PHONY: demo test lint format docs bench system clean

demo: $(STAMP) ## simulate a cohort, compare methods on it, read a new patient; then open the reports
	$(BIN)/onkos demo --out $(DEMO)

test: $(STAMP) system ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadgroup

lint: $(STAMP) ## format, rules, types, rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP)
	@$(BIN)/python scripts/install.py $(VENV) docs
	$(BIN)/sphinx-build -W -q docs docs/_build

bench: $(STAMP) ## builds the peers' throw-away environments; then see bench/README.md
	$(BIN)/python bench/peers.py

system: ## Debian programs that some tests use; installed where we may, else those tests skip
	@sh scripts/system-packages.sh

$(STAMP): pyproject.toml constraints.txt src/onkos/core/version.py scripts/install.py
	@$(PYTHON) scripts/install.py $(VENV) dev
	@touch $(STAMP)

clean:
	rm -rf $(VENV) $(DEMO) docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
