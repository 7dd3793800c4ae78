# make play               install the player (no PyTorch) into .venv-play and start it; ARGS="--port 8000" etc.
# make test               install what the tests need into .venv, then lint, types, boundaries, tests
# make learn              install the training half into .venv
# PYTHON=python3.12       which Python (3.11 or newer) to build the environments with
# TORCH="torch==2.14.0"   which torch; by default the tested one, CPU build where there is no NVIDIA GPU

PYTHON ?= python3
ARGS ?=
TORCH ?=
TESTS ?=
# Two workers, each with one thread for numbers; which tests go where: tests/conftest.py. A worker that crashes is a
# failure and ends the run: pytest-xdist 3.8 waits for ever for the one that it starts in its place.
PARALLEL := -n 2 --no-loadscope-reorder --max-worker-restart 0
# Torch's modules are typed too loosely for mypy to be of use in the rest of learn.
TYPED := -p neurorack.core -p neurorack.play -p neurorack.cli -p neurorack.learn.corpus
BIN := $(if $(filter Windows_NT,$(OS)),Scripts,bin)
PLAY := .venv-play/$(BIN)
DEV := .venv/$(BIN)
PIP := -m pip --disable-pip-version-check install --quiet

.PHONY: play test learn lint clean

play: .venv-play/installed
	$(PLAY)/neurorack play $(ARGS)

test: .venv/installed-dev lint
	OMP_NUM_THREADS=1 $(DEV)/python -m pytest $(PARALLEL) $(TESTS)

lint: .venv/installed-dev
	$(DEV)/ruff check .
	PYTHONPATH=src $(DEV)/lint-imports
	$(DEV)/mypy --follow-imports=silent $(TYPED)

learn: .venv/installed-learn

# --no-compile: what is not played needs no bytecode; Python writes what is at the first start.
# The stamp files are newer than pyproject.toml when nothing has to be installed; sources are used in place.
.venv-play/installed: pyproject.toml
	@$(call new_environment,.venv-play)
	$(PLAY)/python $(PIP) --no-compile -e .
	@touch $@

.venv/installed-torch: tools/install_torch.py
	@$(call new_environment,.venv)
	$(DEV)/python tools/install_torch.py $(TORCH)
	@touch $@

.venv/installed-learn: pyproject.toml .venv/installed-torch
	$(DEV)/python $(PIP) -e ".[learn]"
	@touch $@

.venv/installed-dev: pyproject.toml .venv/installed-torch
	$(DEV)/python $(PIP) -e ".[learn,dev]"
	@touch $@

clean:
	rm -rf .venv .venv-play build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

define new_environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "$(PYTHON) is older than Python 3.11: use make PYTHON=python3.12 (or another new one)"; exit 2; }; \
test -x $(1)/$(BIN)/python || $(PYTHON) -m venv $(1) \
	|| { echo "$(PYTHON) cannot make environments: install its venv module (Debian: apt install python3-venv)"; \
	rm -rf $(1); exit 2; }
endef
