# Log Sentinel: the two commands are `make up` and `make test`; both set themselves up.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SAMPLE ?= 1
WORKERS ?= 2

.PHONY: help install up test lint check bench soak words lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(STAMP) ## environment in VENV=.venv from the lock, for PYTHON=python3, bytecode compiled

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
		{ echo "Log Sentinel needs Python 3.11, 3.12, 3.13 or 3.14; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing: install it (on Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# bytecode on one core, machine code on another
	$(BIN)/python -m compileall -q $(VENV)/lib sentinel flows tasks serving deployments & \
		$(BIN)/python -m sentinel.detect.learn.warm; status=$$?; wait; exit $$status
	@touch $(STAMP)

up: install ## run everything; SAMPLE=0 leaves out the sample data
	@exec $(BIN)/sentinel up $(if $(filter 0,$(SAMPLE)),--no-sample)

# A test that a stalled machine made wait too long is run once more, and named at the end; a wrong answer is never.
STALLED := TimeoutError|Timeout \(>|TimeoutExpired|(Read|Connect)Timeout|PytestUnraisableExceptionWarning

test: install ## all tests (or TESTS=tests/parse), in WORKERS=2 processes; a real Elasticsearch is started where Java and Maven are there
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rfER --reruns 1 --only-rerun '$(STALLED)' $(TESTS)

lint: install ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test ## what CI runs

bench: install ## the benchmarks, each beside its peer; figures go to benchmarks/results/
	$(BIN)/python -m benchmarks

soak: install ## hours of faults, or one gate of them (ONLY=evil); prints its seed and its verdict
	$(BIN)/python -m tests.faults.soak $(if $(ONLY),--only "$(ONLY)")

words: install ## teach the reader of words anew, after a change of its kinds or examples
	$(BIN)/python -m sentinel.detect.learn.words

lock: ## make requirements.lock anew from requirements.in (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--python-version 3.11 requirements.in -o requirements.lock

clean: ## remove the environment and caches, keep var/
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
