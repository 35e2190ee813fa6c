# Needs python3 (3.11 or newer) and make. Every target sets up .venv by itself.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv/.stamp
BIN := .venv/bin
LOCAL := $(BIN)/python -m app.local
FLASK := $(BIN)/flask --app wsgi
COMPILE := $(BIN)/pip-compile --quiet --no-header --strip-extras --no-emit-index-url --no-emit-trusted-host \
	--no-emit-find-links --no-emit-options
SOURCES := $(wildcard app bench migrations tests wsgi.py worker.py)

.PHONY: help demo run test check lint types typescript audit openapi bench faults migrate migration freeze format clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV) ## Set up everything and send a campaign to the phone inbox
	@$(BIN)/python -m app.demo

run: $(VENV) ## Keep the whole system up until Ctrl-C (PORT=8080 SANDBOX_PORT=4010)
	@$(LOCAL) run

test: $(VENV) ## Run all tests (ARGS="-k wallet -x" is handed to pytest)
	@$(BIN)/pytest -n auto $(ARGS)

check: lint types test typescript ## Everything that CI runs, and the types

lint: $(VENV) ## Check style, formatting, who imports whom, and the shape of the code
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES) || { echo 'Some files are not formatted: run make format.' >&2; exit 1; }
	@out=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$out" >&2; exit 1; }
	@$(BIN)/pytest -q --noconftest tests/contracts/test_code_shape.py

types: $(VENV) ## Check the type annotations
	@$(BIN)/mypy

typescript: $(VENV) ## Compile a client typed by the OpenAPI document (where node and npm are)
	@$(BIN)/python -m tests.clients.typescript

audit: $(VENV) ## Prove that the credit books balance (local database, or DATABASE_URL)
	@$(LOCAL) exec --migrate -- $(FLASK) audit

openapi: $(VENV) ## Print the OpenAPI document as JSON
	@$(LOCAL) exec -- $(FLASK) openapi print

bench: $(VENV) ## Measure every speed promise against its baseline
	@$(BIN)/python -m bench $(ARGS)

faults: $(VENV) ## Kill, hang and lie at every step of a send, then audit
	@$(BIN)/python -m tests.faults $(ARGS)

migrate: $(VENV) ## Bring the database up to date
	@$(LOCAL) exec --migrate

migration: $(VENV) ## Start a numbered migration: make migration name=add_message_note
	@test -n '$(name)' || { echo 'Say what it does: make migration name=add_message_note' >&2; exit 2; }
	@number=$$(printf '%04d' $$(($$(ls migrations/versions/[0-9]*.py 2>/dev/null | wc -l) + 1))); \
	$(LOCAL) exec --migrate -- $(FLASK) db revision --rev-id "$$number" -m '$(name)'

freeze: $(VENV) ## Pin the packages named in requirements*.in
	@$(COMPILE) --upgrade -o requirements.txt requirements.in
	@$(COMPILE) --upgrade -o requirements-dev.txt requirements-dev.in

format: $(VENV) ## Format the code and fix what can be fixed by a machine
	@$(BIN)/ruff format --quiet $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

clean: ## Stop leftover local servers and delete local data and caches (.venv stays)
	@test ! -x $(BIN)/python || $(LOCAL) clean
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(VENV): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo '$(PYTHON) is missing or older than 3.11: install Python 3.11, or name one: make PYTHON=python3.12 …' >&2; exit 2; }
	@echo 'Setting up .venv (once, about half a minute) …' >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv >/dev/null || \
		{ rm -rf .venv; echo 'Python cannot make a virtual environment: on Debian and Ubuntu, apt install python3-venv.' >&2; exit 2; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt >&2 || \
		{ echo 'The packages could not be installed: see the lines above, then run make again.' >&2; exit 2; }
	@touch $@
