# All targets require Python 3.11 or newer with pip and venv. Some have further requirements, which their description lists.
#
#   make demo    build ci-publish and publish it to a rehearsal index on this machine
#   make test    run the tests, in about four and a half minutes on two cores
#   make help    list all targets

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV ?= .venv
# More than two: many tests wait for servers and clocks.
SAMPLE ?= 5
SEED ?= 0
WORKERS ?= 3

STAMPS := $(VENV)/.stamps
BIN := $(VENV)/bin
# Twice quiet: errors only.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
UV = $(BIN)/uv pip install --no-config --quiet --python $(VENV)/$*/bin/python
WITH_VENV := PATH="$(abspath $(BIN)):$$PATH"
PYTEST := $(WITH_VENV) python -m pytest

# What needs more than python3 (Node, podman) or more than five minutes has a target of its own.
EVERYDAY := not interop and not containers and not stress and not setup and not channels

CODE := src tests scripts native $(wildcard benchmarks)
SHELL_SCRIPTS := .ci/run $(wildcard scripts/*.sh native/*.sh)

# --- environments: one virtual environment, filled from the locks as far as a target needs -------------------------------

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit("ci-publish needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.13 …") if sys.version_info < (3, 11) else None'
	@echo 'Creating a virtual environment in $(VENV)'; $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/%.txt: requirements/%.txt | $(STAMPS)/venv
	@echo 'Installing $<'; $(PIP) install --no-deps --require-hashes --only-binary :all: -r $<
	@touch $@

# Editable: the tests see the working tree. The build backend is the locked one, so nothing is fetched without its digest.
$(STAMPS)/project: pyproject.toml src/ci_publish/about.py | $(STAMPS)/build.txt
	@echo 'Installing ci-publish from this folder'; $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: env-demo env-test env-lint env-bench env-docs
env-demo: $(STAMPS)/rehearsal.txt $(STAMPS)/build.txt $(STAMPS)/project
env-test: $(STAMPS)/test.txt $(STAMPS)/servers.txt $(STAMPS)/bench.txt $(STAMPS)/lint.txt $(STAMPS)/project
env-lint: env-test
env-bench: $(STAMPS)/rehearsal.txt $(STAMPS)/bench.txt $(STAMPS)/project
env-docs: $(STAMPS)/docs.txt $(STAMPS)/project

# --- what the project is for ------------------------------------------------------------------------------------------

.PHONY: build
build: env-demo ## build the sdist and the wheel of ci-publish in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist .

.PHONY: demo
demo: build ## build ci-publish and publish it to a rehearsal index on this machine
	rm -rf $(VENV)/demo-world
	$(BIN)/ci-publish rehearse dist --world $(VENV)/demo-world
	@echo
	@echo 'Now the same command runs again. It recognises the published files, and neither signs nor uploads them.'
	$(BIN)/ci-publish rehearse dist --world $(VENV)/demo-world
	@echo
	@echo 'Finally, each file is installed from the rehearsal index in a new environment, with its dependencies (requires network access).'
	$(BIN)/ci-publish rehearse dist --world $(VENV)/demo-world --install --run 'ci-publish --version'
	@echo
	@echo 'The demo built the two distributions in dist/ and published them over HTTP to an index that ran only on this machine,'
	@echo 'with a local identity provider and a local Sigstore instance. All of these servers have stopped.'
	@echo 'To browse the result:        $(BIN)/ci-publish rehearse dist --serve    (prints its URLs; press Ctrl-C to stop)'
	@echo 'To rehearse your own files:  $(BIN)/ci-publish rehearse path/to/your/dist'

# --- tests ------------------------------------------------------------------------------------------------------------

.PHONY: test
test: env-test ## run all tests without special requirements, with a small number of random examples
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "$(EVERYDAY)"

.PHONY: test-fast
test-fast: env-test ## run the unit and contract tests, in about a minute and a half on two cores
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "$(EVERYDAY)" tests/unit tests/contract

.PHONY: test-stress
test-stress: env-test ## run more tests, with all random examples; takes a long time
	CI_PUBLISH_STRESS=1 $(PYTEST) -n $(WORKERS) --dist worksteal -m "not interop and not containers and not setup and not channels"

# For each interpreter, with uv: a name on PATH, or a path.
INSTALL_PYTHONS ?= python3.11 python3.12 python3.13
.PHONY: test-install
test-install: build env-test ## install ci-publish from a rehearsal on each Python (INSTALL_PYTHONS=…), and run the installation tests; requires network access
	$(WITH_VENV) ci-publish rehearse dist --install $(INSTALL_PYTHONS:%=--python %) --run 'ci-publish --version'
	CI_PUBLISH_STRESS=1 $(PYTEST) -n $(WORKERS) tests/e2e/test_install_corpus.py tests/e2e/test_install_secrets.py tests/unit/rehearsal/installation

.PHONY: test-setup
test-setup: env-test ## install the lock files with the oldest and the newest pip; requires network access
	$(PYTEST) -n $(WORKERS) -m setup

.PHONY: test-channels
test-channels: env-test $(STAMPS)/channels.txt ## test every documented installation method; requires network access
	$(PYTEST) -n $(WORKERS) -m channels

# Unit and contract tests with what the ranges in pyproject.toml allow, resolved now and not from a lock. Who imports whom
# does not depend on that, and import-linter requires a newer rich.
.PHONY: test-newest test-lowest
test-newest: $(STAMPS)/newest ## test with the newest dependencies that pyproject.toml allows; requires network access
test-lowest: $(STAMPS)/lowest ## test with the oldest dependencies that pyproject.toml allows; requires network access
test-newest test-lowest: test-%:
	PATH="$(abspath $(VENV)/$*/bin):$$PATH" python -m pytest -n $(WORKERS) --dist worksteal -m "$(EVERYDAY)" tests/unit tests/contract \
		--ignore tests/unit/test_architecture.py

.PHONY: $(STAMPS)/newest $(STAMPS)/lowest
$(STAMPS)/newest: RESOLUTION := highest
$(STAMPS)/lowest: RESOLUTION := lowest-direct
$(STAMPS)/newest $(STAMPS)/lowest: $(STAMPS)/%: $(STAMPS)/bench.txt
	@rm -rf $(VENV)/$*; $(BIN)/python -m venv $(VENV)/$*
	@echo 'Resolving the $* versions'; $(UV) --resolution $(RESOLUTION) --only-binary :all: --all-extras --group test -r pyproject.toml
	@$(UV) --no-deps --no-build-isolation --editable .

.PHONY: mutants
mutants: env-test $(STAMPS)/mutants.txt ## run mutation tests of important modules with half of the mutants (SAMPLE=10: all, SEED=7: a different half)
	$(WITH_VENV) python scripts/mutants.py --sample $(SAMPLE) --seed $(SEED)

.PHONY: test-interop
test-interop: env-test ## test against implementations in other languages; requires Node.js
	@command -v node >/dev/null || { echo 'make test-interop requires Node.js (node, npm) on PATH.' >&2; exit 1; }
	$(PYTEST) -m interop

.PHONY: test-containers
test-containers: env-test ## test the image and the actions; requires podman (and act and gitlab-ci-local on PATH or in CI_RUNTIMES)
	@answer=0; $(WITH_VENV) python scripts/container_engine.py || answer=$$?; \
	case $$answer in 0) ;; 3) exit 0 ;; *) exit $$answer ;; esac; \
	$(PYTEST) -m containers || answer=$$?; \
	if [ $$answer -eq 5 ]; then echo 'THE CONTAINER TESTS DID NOT RUN: this checkout has none.'; exit 0; fi; exit $$answer

.PHONY: coverage
coverage: env-test ## run the tests with branch coverage; requires 95% in total, and 100% for pure modules and the pipeline
	rm -f .coverage .coverage.*
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "$(EVERYDAY)" --cov --cov-report=
	$(WITH_VENV) coverage report --fail-under=95
	$(WITH_VENV) coverage report --fail-under=100 \
		--include="$$($(BIN)/python scripts/pure_modules.py),src/ci_publish/publishing/publish.py,src/ci_publish/publishing/attest.py,src/ci_publish/publishing/verify.py,src/ci_publish/publishing/collect.py,src/ci_publish/publishing/index_upload.py,src/ci_publish/publishing/authentication.py,src/ci_publish/publishing/file_outcomes.py,src/ci_publish/publishing/index_plan.py,src/ci_publish/publishing/transfers.py,src/ci_publish/publishing/upload_answers.py,src/ci_publish/publishing/confirmation.py"

# --- quality ----------------------------------------------------------------------------------------------------------

.PHONY: lint
lint: env-lint ## run all static checks
	$(WITH_VENV) ruff check $(CODE)
	$(WITH_VENV) ruff format --check $(CODE)
	$(WITH_VENV) mypy
	$(WITH_VENV) lint-imports
	$(WITH_VENV) shellcheck $(SHELL_SCRIPTS)
	$(WITH_VENV) python scripts/lint_ci_files.py
	$(WITH_VENV) python scripts/lint_wording.py
	$(WITH_VENV) python -m scripts.generate --check
	@echo 'make lint: no problems found.'

.PHONY: format
format: env-lint ## format the code, and fix simple problems with ruff
	$(WITH_VENV) ruff check --fix $(CODE)
	$(WITH_VENV) ruff format $(CODE)

.PHONY: bench
bench: env-bench ## compare the performance with twine and uv on loopback; requires PostgreSQL for some benchmarks
	$(WITH_VENV) python -m benchmarks

.PHONY: bench-startup
bench-startup: env-bench ## measure the startup time, compared with twine; requires network access, and podman for some rows
	$(WITH_VENV) python -m benchmarks.startup

.PHONY: docs
docs: env-docs ## build the documentation site in site/
	$(WITH_VENV) mkdocs build --strict

# --- upkeep -----------------------------------------------------------------------------------------------------------

.PHONY: generate
generate: env-test ## write all generated files: reference, inputs, messages, error pages, checks, completions
	$(WITH_VENV) python -m scripts.generate

.PHONY: lock
lock: $(STAMPS)/bench.txt ## regenerate requirements/ from pyproject.toml (LOCK=--upgrade: newer versions); requires network access
	$(WITH_VENV) python scripts/lock.py $(LOCK)

.PHONY: pin
pin: $(STAMPS)/venv ## update the pinned commits of actions and digests of images (PIN=--check: only compare); requires network access
	$(BIN)/python scripts/pin.py $(PIN)

.PHONY: clean
clean: ## remove all files that make created
	rm -rf $(VENV) build dist site mutants .mutmut.log htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
