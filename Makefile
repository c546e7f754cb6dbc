# `make demo` shows the product, `make test` checks it; `make help` lists the rest.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
PYTEST := $(BIN)/python -m pytest
JOBS ?= auto
# The first of these that is Python 3.11 or 3.12; PYTHON=/path/to/python overrides.
PYTHON ?= $(shell for p in python3 python3.11 python3.12; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo up monitoring test lint integration browser bench requirements audit messages dashboards clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.runtime ## Start everything with demo data and publish a video (ONCE=1: then stop)
	@exec $(BIN)/python manage.py demo $(if $(ONCE),--once)

up: $(VENV)/.runtime ## Start everything on the data that is there, until Ctrl-C
	@exec $(BIN)/python manage.py up

monitoring: $(VENV)/.runtime ## Prometheus and Alertmanager against the running demo (needs their packages)
	@exec $(BIN)/python manage.py monitoring

test: $(VENV)/.dev ## Run the suites that need no system package
	@$(PYTEST) -n $(JOBS) --dist worksteal

lint: $(VENV)/.dev ## Check style, types, imports, templates and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	DJANGO_SETTINGS_MODULE=subiteya.settings.test $(BIN)/python manage.py makemigrations --check --dry-run

# On PostgreSQL: what asks the database, and the questions themselves. Pages and commands would be the same again.
integration: $(VENV)/.dev ## PostgreSQL, Redis, S3, forked workers (needs postgresql, prometheus)
	@tools/with_postgres bash -uc 'failed=0; $(PYTEST) -m integration -n $(JOBS) --dist loadfile || failed=1; \
		$(PYTEST) -m "database and not integration and not browser" -n $(JOBS) --dist worksteal \
			--ignore tests/publishing/views --ignore tests/publishing/admin --ignore tests/publishing/commands \
			tests/audit tests/accounts tests/publishing tests/insights tests/monitoring || failed=1; exit $$failed'

browser: $(VENV)/.dev ## Click through the pages in Chromium (needs chromium)
	@$(PYTEST) -m browser -p no:randomly

bench: $(VENV)/.dev ## Measure it all, or one part with NAME=upload (needs postgresql, chromium, curl, iproute2)
	@$(BIN)/python -m benchmarks $(NAME) $(if $(QUICK),--quick)

requirements: ## Resolve requirements*.in into requirements*.txt (needs uv)
	uv pip compile --quiet --no-strip-extras --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --no-strip-extras --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt

audit: ## Ask the vulnerability database about every pinned package (needs uv, and a network that reaches it)
	uvx pip-audit==2.10.1 --strict --progress-spinner off --disable-pip --require-hashes -r requirements.txt
	uvx pip-audit==2.10.1 --strict --progress-spinner off --disable-pip --require-hashes -r requirements-dev.txt

messages: $(VENV)/.dev ## Collect and compile the translations (needs gettext)
	$(BIN)/python manage.py makemessages --locale es --no-obsolete --add-location file \
		--ignore '.venv/*' --ignore 'var/*' --ignore 'staticfiles/*'
	$(BIN)/python manage.py compilemessages --ignore '.venv'

dashboards: $(VENV)/.dev ## Write Grafana's dashboards from tools/grafana/
	@$(BIN)/python -m tools.grafana

clean: ## Remove the virtual environment and the caches, not the data in var/
	rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A stamp per set of requirements: the second run installs nothing.
$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing what SubiteYa needs (once, some 500 MB)…"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need (once)…"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or 3.12 was found: install it, or name it with make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) cannot make virtual environments: on Debian, run \"apt-get install python3-venv\" as root"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
