# From a fresh clone: `make demo` and `make test` do their own set-up in .venv. `make help` lists everything.
#
#   PYTHON=python3.12    the interpreter to build .venv with (3.10 to 3.14; found by itself when not given)
#   ROS=jazzy            with the wheels of this ROS 2 distribution (jazzy or kilted), in .venv-jazzy; else kilted, in .venv
#   TORCH_INDEX=URL      an extra package index to take torch from, e.g. PyTorch's own index of CPU-only builds
#   SLOW=1               also the tests that take long (the largest networks, all kinds of damage)
#   JOBS=4               processes that run tests (a core each and one more, 9 at most)
#   PYTEST="-k metrics"  more arguments for pytest; part of the tests needs COVERED=0

ROS ?=
VENV := .venv$(if $(ROS),-$(ROS))
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11 python3.10
TORCH_INDEX ?=
# GB: pip holds the downloaded packages beside the installed ones until it is done.
ROOM := 10
SLOW ?=
PYTEST ?=
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 8 ? n + 1 : 9)))
# Percent of the package's lines that tests must run.
COVERED ?= 93
# Long ones first, so that all processes end together; tests of nodes wait most of the time, hence one process more.
TESTS := $(wildcard test/ros test/integration test/launch test/unit)
PYTHON_FILES := depth_node launch test benchmarks experiments setup.py
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))

# .venv brings its own ROS 2 wheels: the libraries of a sourced ROS 2 installation must not mix with them.
ifdef ROS_DISTRO
unexport PYTHONPATH AMENT_PREFIX_PATH LD_LIBRARY_PATH RMW_IMPLEMENTATION
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check install clean distclean

help:  ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: $(STAMP)  ## run the whole chain on a simulated street, pictures and numbers in demo/
	$(BIN)/depth demo --output demo

test: check  ## lint, types and tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder --cov --cov-report term:skip-covered \
	  --cov-fail-under $(COVERED) $(TESTS) $(if $(SLOW),,-m "not slow") $(PYTEST)

check: $(STAMP)  ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/ament_flake8 --config setup.cfg $(PYTHON_FILES)

install: $(STAMP)  ## only set up .venv

clean:  ## remove what demo, tests and builds left (not .venv*, not runs/)
	rm -rf demo build .coverage* ./*.egg-info .pytest_cache .mypy_cache .ruff_cache
	find depth_node test launch -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove .venv* too
	rm -rf .venv .venv-*

$(BIN)/python:
	@for python in $(PYTHON); do \
	  if $$python -c '$(SUITABLE)' >/dev/null 2>&1; then \
	    echo "setting up $(VENV) with $$($$python --version)"; exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "make: none of '$(PYTHON)' is a Python 3.10 to 3.14 with venv and pip:" \
	     "install one (Debian, Ubuntu: apt install python3-venv) or name it with PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(STAMP): setup.py setup.cfg package.xml | $(BIN)/python
	@echo "installing depth_node and its dependencies into $(VENV): some minutes and about 6 GB the first time"
	@free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1048576) }'); [ "$$free" -ge $(ROOM) ] || \
	  echo "make: only $$free GB are free here, the installation may need $(ROOM) GB while it runs: make room," \
	       "or, where no GPU is, name an index of CPU-only builds with TORCH_INDEX (about 2 GB)" >&2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) --editable '.[ros$(if $(ROS),-$(ROS)),test]'
	@touch $@
