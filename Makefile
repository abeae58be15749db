# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
# Each installs what it needs first, into .venv, from locked versions with hashes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN_LOCK := requirements/run.txt
TEST_LOCK := requirements/test.txt
TESTS ?= tests
WORKERS ?= 2
EMBEDDINGS := $(VENV)/all-minilm-l6-v2.int8.safetensors
LARGE := $(VENV)/large/all-mpnet-base-v2.int8.safetensors
EVAL := $(BIN)/escalade eval evaluation/ferries --split all --json
SHIPPED := src/escalade/services/shipped

.PHONY: demo test check bench curves hunch torture sbom clean lock widget
.DEFAULT_GOAL := help

help: ## Show what there is to run
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/run.done $(EMBEDDINGS) ## Run the product, a fake Zendesk and a shop together
	@ESCALADE_EMBEDDINGS_DIR=$(VENV) $(BIN)/escalade demo $(ARGS)

test: $(VENV)/test.done $(EMBEDDINGS) ## Run the checks and every test
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest $(TESTS) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/test.done ## Format, lint, types, layers, unsafe calls
	$(BIN)/ruff format --check src tests benchmarks torture
	$(BIN)/ruff check src tests benchmarks torture
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --severity-level medium --configfile pyproject.toml --recursive src

bench: $(VENV)/test.done $(EMBEDDINGS) ## Measure ingest, relay and answers beside their baselines
	$(BIN)/python -m benchmarks.ingest $(ARGS)
	$(BIN)/python -m benchmarks.relay $(ARGS)
	$(BIN)/python -m benchmarks.answers $(ARGS)

curves: $(VENV)/test.done $(EMBEDDINGS) $(LARGE) ## Measure again the curves that the console draws until an organisation has its own
	$(EVAL) --words-only > $(SHIPPED)/words.json
	ESCALADE_EMBEDDINGS_DIR=$(VENV) $(EVAL) > $(SHIPPED)/small.json
	ESCALADE_EMBEDDINGS_DIR=$(VENV)/large $(EVAL) > $(SHIPPED)/large.json

torture: $(VENV)/test.done ## Run the whole proof; may take a night, goes on where it stopped (ARGS="--share 0.01")
	$(BIN)/python -m torture $(ARGS)

hunch: $(VENV)/test.done ## Learn again, from evaluation/persons, what sounds like asking for a person
	$(BIN)/python -m benchmarks.hunch --write

sbom: $(VENV)/test.done ## Write down what a release is made of, as CycloneDX (OUT=sbom.json)
	$(BIN)/python -m cyclonedx_py requirements $(RUN_LOCK) --pyproject pyproject.toml --output-reproducible --of JSON \
	  -o $(or $(OUT),sbom.json)

widget: ## Build the widget's compiled files from widget/
	cd widget && npm ci --no-audit --no-fund && npm run build

lock: $(VENV)/test.done ## Resolve the locked versions again
	$(BIN)/uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --quiet --output-file $(RUN_LOCK)
	$(BIN)/uv pip compile pyproject.toml --extra models --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file $(TEST_LOCK)

clean: ## Remove what the other targets made
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis widget/node_modules

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

# Where the weights cannot be fetched everything works all the same, by words alone, and says so.
$(EMBEDDINGS): | $(VENV)/run.done
	-@ESCALADE_ENV=development ESCALADE_EMBEDDINGS_DIR=$(VENV) $(BIN)/escalade knowledge model install

# By itself: tests and demo use the small ones.
$(LARGE): | $(VENV)/run.done
	ESCALADE_ENV=development ESCALADE_EMBEDDINGS_DIR=$(VENV)/large $(BIN)/escalade knowledge model install large

$(VENV)/run.done: $(VENV)/bin/python pyproject.toml $(RUN_LOCK)
	$(PIP) install --require-hashes -r $(RUN_LOCK)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.done: $(VENV)/bin/python pyproject.toml $(TEST_LOCK)
	$(PIP) install --require-hashes -r $(TEST_LOCK)
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.done
