# Careloop. `make run` and `make test` need Python >= 3.11 and make, nothing else.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
# Of the tests' own installation; see tests/support/servers.py.
TEST_KEY := test-root-key-0123456789-0123456789-0123456789

# Without bytecode every process of a house would compile the whole project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test check format test-previous-release test-cdnow test-citus audit bench schemathesis capabilities doctor lock clean

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: $(RUN_STAMP) ## Install, start servers, migrate, seed a demo shop, serve
	@"$(BIN)/careloop" up

demo: $(RUN_STAMP) ## Tell the whole care loop step by step
	@"$(BIN)/careloop" demo

doctor: $(RUN_STAMP) ## Say what is wrong when something is
	@"$(BIN)/careloop" doctor

test: $(DEV_STAMP) ## Run every test
	@"$(BIN)/python" -m pytest -n auto --dist loadscope --no-loadscope-reorder -q $(ARGS)

chaos: $(DEV_STAMP) ## Make trouble for long: SEEDS=30 SECONDS=60 FIRST=1
	@"$(BIN)/python" -m tests.faults --seeds $(or $(SEEDS),30) --seconds $(or $(SECONDS),60) --first $(or $(FIRST),1) $(ARGS)

check: $(DEV_STAMP) ## Lint, types, import contracts
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/mypy"
	@"$(BIN)/lint-imports"

test-previous-release: $(DEV_STAMP) ## Run the last release's own tests on this release's schema
	@"$(BIN)/python" -m pytest -q tests/migrations/test_previous_release.py

test-cdnow: $(DEV_STAMP) ## Take in all that CDNOW's customers bought: 69,659 orders of 23,570
	@CARELOOP_CDNOW=master "$(BIN)/python" -m pytest -q tests/customer/test_cdnow.py $(ARGS)

test-citus: $(DEV_STAMP) ## Prove a Citus cluster at DATABASE_URL: spread an empty database, run the patterns
	@test -n "$$DATABASE_URL" || { echo "Set DATABASE_URL to the coordinator, with an empty database"; exit 2; }
	@CARELOOP_SECRET_KEY="$(TEST_KEY)" "$(BIN)/careloop" migrate
	@CARELOOP_SECRET_KEY="$(TEST_KEY)" "$(BIN)/careloop" db distribute --apply
	@CARELOOP_SECRET_KEY="$(TEST_KEY)" "$(BIN)/careloop" db check
	@CARELOOP_CONFORMANCE_URL="$$DATABASE_URL" "$(BIN)/python" -m pytest -q --force-enable-socket \
	  tests/conformance $(ARGS)

audit: $(DEV_STAMP) ## Look for known vulnerabilities in what is installed (asks PyPI)
	@"$(BIN)/pip-audit" --require-hashes --disable-pip -r requirements.txt

format: $(DEV_STAMP) ## Format the code
	@"$(BIN)/ruff" check --fix -q . ; "$(BIN)/ruff" format .

bench: $(DEV_STAMP) ## Measure the hot paths against a bare baseline in the same run
	@"$(BIN)/python" -m bench $(ARGS)

schemathesis: $(DEV_STAMP) ## Ask the API what its description allows and forbids, 200 times each
	@"$(BIN)/python" -m tests.contract.fuzzing --max-examples 200 $(ARGS)

capabilities: $(DEV_STAMP) ## List the rows of the acceptance table with and without a passing test
	@"$(BIN)/python" -m tests.capabilities $(ARGS)

lock: $(DEV_STAMP) ## Renew the locked requirements from pyproject.toml
	@"$(BIN)/uv" pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -q pyproject.toml --group dev -o requirements-dev.txt $(ARGS)
	@"$(BIN)/uv" pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -q pyproject.toml -c requirements-dev.txt -o requirements.txt

clean: ## Remove the environment and caches, not the data
	rm -rf "$(VENV)" .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -m venv "$(VENV)"

$(RUN_STAMP): $(VENV)/pyvenv.cfg requirements.txt pyproject.toml
	@test -f "$(DEV_STAMP)" || "$(BIN)/pip" install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@"$(BIN)/python" deploy/link.py
	@touch "$@"

$(DEV_STAMP): $(VENV)/pyvenv.cfg requirements-dev.txt requirements-data.txt pyproject.toml
	@"$(BIN)/pip" install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@"$(BIN)/pip" install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-data.txt
	@"$(BIN)/python" deploy/link.py
	@touch "$@"
