# `make quickstart` and `make test` work on a fresh machine with Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: setup quickstart test lint clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "needs Python 3.11 or newer; name one: make setup PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	@# Twice quiet: of an editable install setuptools warns at length. Errors are shown.
	$(RUN) -m pip install --quiet --quiet --editable ".[test]"
	touch $@

quickstart: setup
	$(RUN) -m ftkeras.main --flagfile=flags/quickstart.cfg
	$(RUN) -m ftkeras.main predict --model=saved_models/quickstart \
		--text="Worth every minute." --text="The cast was not good, and the plot was a mess."

# A process a core, but no more than four: each takes up to 4 GB. A file's tests share fixtures.
test: setup lint
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadfile

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

clean:
	rm -rf $(VENV) build *.egg-info
