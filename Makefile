# `make quickstart` and `make test` work on a fresh machine with Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: setup quickstart test test-all test-share test-lowest test-torch lint style types docs docs-serve package clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "needs Python 3.11 or newer; name one: make setup PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --upgrade pip
	@# Twice quiet: of an editable install setuptools warns at length. Errors are shown.
	$(RUN) -m pip install --quiet --quiet --no-compile --editable ".[test]"
	@# pip would compile on one core. Templates and files for other Pythons do not compile.
	@$(RUN) -m compileall -q -q -j 0 $(VENV)/lib || true
	touch $@

quickstart: setup
	$(RUN) -m ftkeras.main --flagfile=flags/quickstart.cfg
	$(RUN) -m ftkeras.main predict --model=saved_models/quickstart \
		--text="Worth every minute." --text="The cast was not good, and the plot was a mess."

# A worker a core, but no more than four: each takes up to 3 GB. The tests of a file share fixtures;
# tests/conftest.py orders the files. Compiled modules are kept for the processes that tests start.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
COMMIT ?= $(shell git rev-parse HEAD)

test: setup style
	$(PYTEST)

# With real processes, clusters, full matrices and real data, which `make test` leaves out.
test-all: setup lint
	$(PYTEST) -m ""

# One of 19 shares of what `make test` leaves out: about five minutes, and another share for each commit.
test-share: setup
	@echo "Of the tests that make test leaves out, the share that commit $(COMMIT) picks:"
	$(PYTEST) -vv -m "process or cluster or matrix or real_data" --share=$(COMMIT)

# The tests with the lowest versions that pyproject.toml allows; `make test` has the newest.
LOWEST := build/lowest-venv
test-lowest:
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python \
		--resolution lowest-direct --editable ".[test]"
	$(LOWEST)/bin/python -m pytest -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

# The comparisons with PyTorch, which are skipped where it is not installed.
TORCH := build/torch-venv
test-torch:
	$(PYTHON) -m venv $(TORCH)
	$(TORCH)/bin/python -m pip install --quiet --editable ".[test]" torch
	$(TORCH)/bin/python -m pytest -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder \
		-m "" $$(grep -rl 'importorskip("torch"' tests)

# Folders whose types are checked.
TYPED := ftkeras/*.py tests/api/examples.py $(addprefix ftkeras/,api averages callbacks checkpoints cli config corpora data dossiers encoders \
	experiment explanations exporters figures heads losses maskings optimizers pages phases policies prediction privacy problems processes regularizers reports \
	runs schedules search selection serving statistics strategies support tasks teachers text trackers training verbs workflows)

lint: style types

style: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: setup
	$(RUN) -m basedpyright --pythonpath=$(RUN) $(TYPED)

# The documentation as a site in build/site, in an environment of its own without TensorFlow.
DOCS := build/docs-venv
MKDOCS := PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs

docs: $(DOCS)/.installed
	$(MKDOCS) build

docs-serve: $(DOCS)/.installed
	$(MKDOCS) serve

$(DOCS)/.installed: pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --upgrade pip
	$(DOCS)/bin/python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb')); \
		print(*p['project']['optional-dependencies']['docs'], sep='\n')" > $(DOCS)/requirements.txt
	$(DOCS)/bin/python -m pip install --quiet --requirement $(DOCS)/requirements.txt
	touch $@

# The wheel and the source archive in dist/, checked as the package index does.
package:
	rm -rf dist
	$(PYTHON) -m venv build/package-venv
	build/package-venv/bin/python -m pip install --quiet build twine
	build/package-venv/bin/python -m build
	build/package-venv/bin/python -m twine check --strict dist/*

clean:
	rm -rf $(VENV) build *.egg-info
