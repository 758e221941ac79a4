# make demo: install the core package and print the leaderboard of the quick suite.
# make check: lint, types and the tests that are not slow, for every change.
# make test: install what the tests need and run all of them.
# make clients: run examples/clients, each in an environment of its own, and make gateway.
# make gateway: test the live router in LiteLLM's router and proxy, in an environment of its own.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO_AGENTS = stageroute,paced-route,generalist,ppo,linucb,paretobandit,greedy-price,uniform,horizon-oracle

.PHONY: demo check test clients gateway lint clean

demo: $(VENV)/core
	$(BIN)/stageroute leaderboard --suite quick --agents $(DEMO_AGENTS) --out results/quick --overwrite

# By file: what a file sets up and compiles is done by one process.
check: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not benchmark and not slow"

# The speed ratios run by themselves, since tests beside them would share their caches.
test: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not benchmark"
	$(BIN)/python -m pytest -m benchmark

# Other libraries' ways in, each in an environment with nothing but what it needs.
clients:
	$(PYTHON) examples/clients/check.py

gateway:
	$(PYTHON) examples/clients/check.py gateway

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/core: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

# torch first and pinned: without the pin a build with gigabytes of GPU libraries is chosen.
$(VENV)/dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,report,render,rl,solvers,clients,ray,dask,tune]"
	touch $@

# Compiled kernels too.
clean:
	rm -rf $(VENV) .clients build dist results .pytest_cache .mypy_cache .ruff_cache
	find . -name '*.nb[ic]' -delete
