# Everything a person types. On a fresh machine only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= openpoort-home

.PHONY: demo test check serve docs interop s3-server lock figures measure mutate wheels install clean

demo: $(VENV)/gateway
	$(BIN)/openpoort demo

test: $(VENV)/ready
	$(BIN)/pytest -n 2 --dist loadfile

check: $(VENV)/ready
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet --site-dir build/site

serve: $(VENV)/gateway
	test -d $(HOME_DIR) || $(BIN)/openpoort init $(HOME_DIR)
	$(BIN)/openpoort serve $(HOME_DIR)

docs: $(VENV)/ready
	$(BIN)/python -m openpoort_lab.figures.letter
	$(BIN)/python -m openpoort_lab.figures.rooms
	$(BIN)/mkdocs build --strict --site-dir build/site

interop: $(VENV)/ready
	INTEROP_STACKS=1 $(BIN)/pytest tests/interop -v

# The S3-compatible server that tests run against (versitygw, Apache-2.0); needs Go. The sum is over
# the hashes of the module and of all it was built from.
S3_VERSION := v1.8.0
S3_SUM := 71fb39c40c74ecc4ecb67f9c74cecd2258f9639e66b8e4505f6fbd71109f7899
S3_SERVER := build/tools/versitygw-$(S3_VERSION)

s3-server: $(S3_SERVER)

$(S3_SERVER):
	rm -rf build/tools/new
	GOBIN=$(CURDIR)/build/tools/new go install github.com/versity/versitygw/cmd/versitygw@$(S3_VERSION)
	go version -m build/tools/new/versitygw | grep -E '^[[:space:]]+(mod|dep)[[:space:]]' \
	  | sha256sum | grep -q '^$(S3_SUM) '
	mv build/tools/new/versitygw $@

# One environment, from lock files with hashes: `make demo` needs the gateway alone, everything else
# brings the other two distributions of this repository and the development tools into it.
PIP := $(BIN)/python -m pip --disable-pip-version-check

install .venv: $(VENV)/ready
.PHONY: .venv

$(VENV)/gateway: deploy/requirements.lock deploy/build.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("openpoort needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the gateway into $(VENV): once, a minute or two."
	$(PIP) install --require-hashes -r deploy/requirements.lock -r deploy/build.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/ready: requirements.lock $(VENV)/gateway packages/lab/pyproject.toml packages/weeg/pyproject.toml
	@echo "Installing lab, weeg and the development tools into $(VENV): once, a minute or two."
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e . -e packages/lab -e packages/weeg
	touch $@

# A wheel of each distribution, in build/wheels.
wheels: $(VENV)/ready
	rm -rf build/wheels
	for one in . packages/lab packages/weeg; do \
	  $(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheels $$one || exit 1; done

# Tables of figures from recorded measurements; `make measure` records them anew (half an hour);
# `make measure NAMES=flat` those with millions of messages in the tables (as long again). What the
# tests of others' clients, of the controls and of the frameworks showed is recorded by
# `make measure NAMES="clients controls frameworks"` and travels with the release.
RECORDS := clients controls frameworks
figures: $(VENV)/ready
	$(BIN)/python -m openpoort_lab.figures.figures write
	$(BIN)/python -m openpoort_lab.figures.proofs

measure: $(VENV)/ready
	$(if $(or $(if $(NAMES),,x),$(filter-out $(RECORDS),$(NAMES))),$(BIN)/python -m openpoort_lab.figures.figures measure $(filter-out $(RECORDS),$(NAMES)))
	$(BIN)/python -m openpoort_lab.figures.proofs $(filter $(RECORDS),$(NAMES))

# Mistakes put into a copy of the source, one at a time: which does no test notice? All of them take
# hours; `make mutate ONLY=store/queue COUNT=20 SEED=2` tries twenty of one module.
COUNT := 40
SEED := 1
mutate: $(VENV)/ready
	mkdir -p build
	$(BIN)/python -m openpoort_lab.mutation $(addprefix --only ,$(ONLY)) --count $(COUNT) \
	  --seed $(SEED) --json build/mutants.json

lock:
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 \
	  --no-header --no-emit-index-url --no-annotate -o requirements.lock
	uv pip compile pyproject.toml -c requirements.lock --universal --generate-hashes \
	  --python-version 3.11 --no-header --no-emit-index-url --no-annotate -o deploy/requirements.lock
	uv pip compile --group build -c requirements.lock --universal --generate-hashes \
	  --python-version 3.11 --no-header --no-emit-index-url --no-annotate -o deploy/build.lock

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
