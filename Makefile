# make help says what there is. Everything is installed into .venv, which `make clean` removes.

PYTHON ?= python3
PORT ?= 8000
ONLY ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test check format docs bench crash django-tests screenshots clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' \
		| while IFS='|' read -r name words; do printf '  make %-13s %s\n' "$$name" "$$words"; done

install: $(INSTALLED) ## .venv with everything that development needs

# The stamp makes it quick the second time. mysqlclient has to be compiled against C headers that
# a fresh machine may lack; PyMySQL, which is in [dev], stands in for it then.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "python3 -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --editable '.[dev,postgresql,squawk]'
	@$(BIN)/python -m pip install --quiet 'mysqlclient>=2.2.1,<3' >$(VENV)/mysqlclient.log 2>&1 \
		|| echo "mysqlclient could not be built here, PyMySQL is used instead ($(VENV)/mysqlclient.log says why)"
	@touch $(INSTALLED)

demo: $(INSTALLED) ## the sample site with web and worker at http://127.0.0.1:8000 (PORT=8001 moves it)
	@DEBUG=1 $(BIN)/python manage.py demo --serve --port $(PORT)

# The tests start many processes: compiled code spares each a fifth of its start.
test: $(INSTALLED) ## every test (ARGS='-k lock' for some)
	@$(BIN)/python -m compileall -q bot django_site tests
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(INSTALLED) ## lint, format, types, import contracts, docs, Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs tests/house
	DEBUG=1 $(BIN)/python manage.py check --fail-level WARNING
	DEBUG=1 $(BIN)/python manage.py makemigrations --check --dry-run

format: $(INSTALLED) ## format the code and order imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED) ## write the parts of the pages anew that are made from code
	$(BIN)/python -m tests.docs.pages

bench: $(INSTALLED) ## the benchmarks with their ratios (ONLY=planning for one)
	$(BIN)/python -m tests.bench $(ONLY)

crash: $(INSTALLED) ## the long crash run: workers killed again and again
	$(BIN)/python -m tests.crash $(ARGS)

django-tests: $(INSTALLED) ## Django's own migration tests over our runner
	$(BIN)/python -m tests.django_tests.run $(ARGS)

screenshots: $(INSTALLED) ## pictures of the staff page, for the docs
	$(BIN)/python -m tests.screenshots $(ARGS)

clean: ## remove .venv and the demo's databases
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis
	rm -f site.sqlite3* site-bot.sqlite3*
