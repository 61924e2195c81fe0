# The commands of the course. `make` alone lists them; the work of setting up is in tools/start.py.

# Which Python makes the environment in .venv: make lab PYTHON=python3.12
PYTHON ?= python3
# Options for JupyterLab: make lab LAB_ARGS="--no-browser --port=8899"
LAB_ARGS ?=
# Which unit to pack: make bundle UNIT=training
UNIT ?= pipeline
# What to test, and options for pytest: make test TESTS=tests/test_setup.py PYTEST_ARGS=-v
TESTS ?= tests solutions
PYTEST_ARGS ?=
# How many files of tests run at the same time: more than there are cores, since many tests wait for a browser, a server or a limit of time.
WORKERS ?= 3
# Which benchmarks, and their options: make bench BENCH=grading BENCH_ARGS="--submissions 20 --growth"
BENCH ?= explorers grading imports
BENCH_ARGS ?=

START = $(PYTHON) tools/start.py

# Matplotlib's list of fonts and its settings: the course's own, so that pictures are the same for everyone.
export MPLCONFIGDIR = $(CURDIR)/.venv/matplotlib

# Lessons are built and replayed in the same way, so that their outputs can be compared:
# on one thread (the order of a sum changes its last digits) and without anyone's own progress.
SAME_RESULTS = HIDDEN_STATE_PROGRESS=off OMP_NUM_THREADS=1
# nbgrader and Jupyter start programs and kernels by name: these must be the course's own, as with `make teach`.
# Not exported to all: tools/start.py is for the Python outside .venv.
RUN = PATH="$(CURDIR)/.venv/bin:$$PATH" JUPYTER_PREFER_ENV_PATH=1 $(SAME_RESULTS) .venv/bin/python

PYTEST = $(RUN) -m pytest -n $(WORKERS) --dist loadfile --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg

.PHONY: help lab teach notebooks bundle test test-long lint pictures bench ready servers python

help:  ## list these commands
	@echo "Hidden State: learn how a recurrent network remembers."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Each command sets up what it needs, in the folder .venv. The first time takes a few minutes."

lab: python  ## learn: open the first page in JupyterLab (options: LAB_ARGS="--no-browser --port=8899")
	@$(START) lab $(LAB_ARGS)

teach: python  ## teach: open JupyterLab with Formgrader, to release, grade and give feedback
	@$(START) teach $(LAB_ARGS)

notebooks: python  ## build solutions/ and notebooks/ from the Markdown sources, after a change to a lesson
	@$(START) setup teach
	$(RUN) -m course.build notebooks

bundle: python  ## make the zip that students receive, without solutions and answer keys (UNIT=training)
	@$(START) setup teach
	$(RUN) -m course.build bundle $(UNIT)

test: lint ready  ## prove that every notebook runs and every grade is right (options: TESTS=tests/checks PYTEST_ARGS=-x)
	$(PYTEST) $(TESTS) -m "not long" $(PYTEST_ARGS)

test-long: ready servers  ## the rest: right answers on 25 draws, a second kernel of numbers, the plain view of a lesson, fuzzing
	$(PYTEST) $(TESTS) -m long $(PYTEST_ARGS)

lint: python  ## look at the form of the code, with ruff
	@$(START) setup test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

pictures: python  ## take the pictures of the README and of the lessons again, in a real browser
	@$(START) setup test
	@$(START) browser
	PYTHONPATH=tests $(RUN) tools/take_pictures.py

bench: ready  ## measure how fast explorers follow a hand, how fast a class is graded, what a first cell costs (options: BENCH=grading BENCH_ARGS=--help)
	for each in $(BENCH); do PYTHONPATH=tests $(RUN) bench/$$each.py $(BENCH_ARGS) || exit 1; done

# All that the tests need: packages, a browser, a sandbox.
ready: python
	@$(START) setup test
	@$(START) browser
	@$(START) sandbox

# What the long lane needs on top: a JupyterHub's proxy, a PostgreSQL server.
servers: ready
	@$(START) proxy
	@$(START) postgres

python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name yours: make lab PYTHON=python3.12"; exit 1; } >&2
