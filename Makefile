# Two commands do everything:  make app   make test
# Kept to what GNU make 3.81 (macOS) and BSD make both understand.

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
PORT = 8501
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input

.PHONY: app test lint types unit browser fuzz kills png audit least kernels stage load foreign format clean
.NOTPARALLEL:

app: $(VENV)/.app
	HOME="$${HOME:-$$PWD/$(VENV)}" $(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: lint types unit browser

lint: $(VENV)/.dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/python -m mypy

# One thread for each of two processes: two that share two cores would wait for each other.
unit: $(VENV)/.dev
	$(ONE) $(BIN)/python -m pytest -n 2 -m "not browser"

# Thousands of damaged uploads and links, from a fixed seed; the unit tests take a few of them.
fuzz: $(VENV)/.dev
	$(ONE) RED_FUZZ=full $(BIN)/python -m pytest -q -s tests/test_fuzz.py
	$(ONE) RED_FUZZ=full $(BIN)/python -m pytest -q tests/pages/test_fuzzed_links.py

# kill -9 at 20 random moments each of a recipe, an evaluation and a download, from a fixed seed.
kills: $(VENV)/.dev
	$(ONE) RED_KILLS=full $(BIN)/python -m pytest -q -s tests/red_core/test_killed.py

# Attacked images saved as PNG and read back: the verdicts of the arrays, 100 an attack.
png: $(VENV)/.dev
	$(ONE) $(BIN)/python -m tests.red_core.measure_png --examples 100

# Known faults of the pinned packages; it needs a network.
audit: $(VENV)/.dev
	$(PIP) install -q pip-audit
	$(BIN)/python -m pip_audit -r requirements.txt

# The browser tests skip themselves where RED_CHROMIUM is empty; say why before they do.
browser: $(VENV)/.dev
	@chromium="$$RED_CHROMIUM"; \
	mac="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; \
	for name in chromium chromium-browser google-chrome "$$mac"; do \
	  if [ -z "$$chromium" ]; then chromium=`command -v "$$name" || true`; fi; \
	done; \
	if [ ! -d tests/browser ]; then echo "browser: there are no browser tests"; exit 0; fi; \
	if [ -z "$$chromium" ]; then \
	  echo "browser: skipped, no Chromium found (install one, or set RED_CHROMIUM to its path)"; \
	  exit 0; \
	fi; \
	echo "browser: $$chromium"; \
	RED_CHROMIUM="$$chromium" $(BIN)/python -m pytest -m browser tests/browser

# How fast the stage draws and answers here, in a real Chromium.
stage: $(VENV)/.dev
	$(ONE) $(BIN)/python -m tests.browser.measure_stage

# How the app serves a class here: 30 runs at once, a link beside a long run, 100 readers of a
# lesson, 200 visits. About 15 minutes; no browser is needed.
load: $(VENV)/.dev
	$(ONE) $(BIN)/python -m tests.browser.measure_load

# A classifier of another shape from its weights to the paper's rules on 200 images (RED_DATA holds
# MNIST); it fails below 85% of the attacks and 80% of the signals, or after 15 minutes. Then the
# dictionary of a ResNet-20 (RED_DATA holds CIFAR-10 too).
foreign: $(VENV)/.dev
	$(BIN)/python -m tests.red_core.recipes.measure_foreign --examples 200 \
	  --json tests/red_core/recipes/foreign.json
	$(BIN)/python -m tests.red_core.recipes.measure_foreign --resnet20 --images 20000 \
	  --json tests/red_core/recipes/resnet20.json

# Other processors take other kernels. `least`: what computes, on the plainest ones, one thread;
# `kernels`: the whole core natively, with MKL's compatible kernels and with the plainest, on one and
# on two threads.
PLAIN = ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41
CORE = $(BIN)/python -m pytest -q -n 2 tests/red_core
# Files, commands, reports and recipes of the core compute with these.
COMPUTES = tests/red_core/algorithm tests/red_core/attacks tests/red_core/landscape tests/red_core/methods \
	tests/red_core/models tests/red_core/recording tests/red_core/run tests/red_core/sbsc \
	tests/red_core/synthetic tests/red_core/theory
ONE = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
TWO = OMP_NUM_THREADS=2 MKL_NUM_THREADS=2

least: $(VENV)/.dev
	$(ONE) $(PLAIN) $(BIN)/python -m pytest -q -n 2 $(COMPUTES)

kernels: $(VENV)/.dev
	$(ONE) $(PLAIN) $(CORE)
	$(TWO) $(PLAIN) $(CORE)
	$(ONE) MKL_CBWR=COMPATIBLE $(CORE)
	$(TWO) MKL_CBWR=COMPATIBLE $(CORE)
	$(ONE) $(CORE)
	$(TWO) $(CORE)

format: $(VENV)/.dev
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second run finds the requirements older than the stamp and starts at once.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is older or missing." >&2; \
	  echo "Name a newer one:  make app PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "$(PYTHON) lacks its venv module (on Debian: apt install python3-venv)." >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.app: $(VENV)/.created requirements.txt
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.created requirements.txt requirements-dev.txt
	$(PIP) install -r requirements-dev.txt
	@touch $(VENV)/.app $@
