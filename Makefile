# Two commands do everything: `make run` shows the product at work, `make test` proves it.
PYTHON ?= python3
PORT   ?= 8000
VENV   ?= .venv
DEMO   ?= fraud-data/demo
BIN     = $(VENV)/bin
LOCK    = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

# Compiled modules are kept beside their source: without them every process that is started compiles a thousand files.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test audit docs test-long quality bench bench-growth bench-one-affiliate bench-ingest bench-networks bench-features bench-backlinks bench-graph bench-models bench-publishers bench-crawl bench-pages bench-policy bench-scan bench-drift bench-idle check format lock clean help

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## install, make a demonstration workspace, and serve it (PORT=8000)
	@$(BIN)/fraud demo --workspace $(DEMO)
	@$(BIN)/fraud serve --workspace $(DEMO) --port $(PORT)

test: $(VENV)/.test check ## install what tests need, check the code, run every test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST)

test-long: $(VENV)/.test ## the long tests alone: thousands of mutated files, fifty kills
	$(BIN)/pytest -m long -n 2

bench-ingest: $(VENV)/.test ## ingestion against DuckDB's own copy, 5M rows (BENCH="--rows N")
	$(BIN)/python -m tests.benchmarks.ingest $(BENCH)

ROWS ?= 20000000
REPEATS ?= 5

bench-features: $(VENV)/.test ## the feature engine against a bare scan, pandas and Polars (ROWS=20000000 REPEATS=5)
	$(BIN)/python -m tests.benchmarks.features --rows $(ROWS) --repeats $(REPEATS) $(BENCH)

SIZES ?= 2000000 20000000 200000000

bench-growth: $(VENV)/.test ## the same at several sizes, and how cost grows (SIZES="2000000 20000000", BENCH="--folder DIR" where days are kept); 200M clicks take 20 GB and an hour
	$(BIN)/python -m tests.benchmarks.features --rows $(SIZES) --repeats $(REPEATS) $(BENCH)

bench-one-affiliate: $(VENV)/.test ## one affiliate, one with a sub-ID a click, or one network with 40% of 6M clicks, in 2,048 and in 256 MiB (BENCH="--rows N --share X --memory A B --crowds C")
	$(BIN)/python -m tests.benchmarks.one_affiliate $(BENCH)

BENCHES = growth one-affiliate ingest networks backlinks graph models publishers scan drift crawl pages policy idle api

bench: ## every benchmark, one after the other: hours (SKIP="api crawl" leaves some out)
	@failed=; for one in $(filter-out $(SKIP),$(BENCHES)); do $(MAKE) bench-$$one || failed="$$failed $$one"; done; \
	test -z "$$failed" || { echo "These failed:$$failed"; exit 1; }

bench-graph: $(VENV)/.test ## rings and dense blocks to 10M edges, beside networkx; labelled graphs when FRAUD_TEST_DATA is set
	$(BIN)/python -m tests.benchmarks.graph $(BENCH)

bench-scan: $(VENV)/.test ## a night's scan after its features exist: models, checks, decisions (BENCH="--affiliates 300 --days 12")
	$(BIN)/python -m tests.benchmarks.scan $(BENCH)

bench-drift: $(VENV)/.test ## how far honest programs drift from their baseline, and programs that turn bad (BENCH="--affiliates 100 --dry")
	$(BIN)/python -m tests.benchmarks.drift $(BENCH)

bench-models: $(VENV)/.test ## one row and a million beside scikit-learn's forest (BENCH=--quality: real data, when FRAUD_TEST_DATA is set)
	$(BIN)/python -m tests.benchmarks.models $(BENCH)

bench-publishers: $(VENV)/.test ## the ranker on the publishers of FDMA 2012, nested cross-validation (needs FRAUD_TEST_DATA; BENCH=--nested-only)
	$(BIN)/python -m tests.benchmarks.publishers $(BENCH)

bench-backlinks: $(VENV)/.test ## a 10M-line ranks file searched for 1,000 domains, an export of 1M rows (BENCH="--lines N")
	$(BIN)/python -m tests.benchmarks.backlinks $(BENCH)

bench-networks: $(VENV)/.test ## a million addresses read against tables of networks
	$(BIN)/python -m tests.benchmarks.networks $(BENCH)

quality: $(VENV)/.test ## measure detection on made-up programs and fail where a floor of its quality breaks
	$(BIN)/fraud evaluate --floors small

bench-crawl: $(VENV)/.test ## fetching and reading pages against Scrapy (pip install '.[bench]'), one applicant, a batch of a thousand
	$(BIN)/python -m tests.benchmarks.crawl $(BENCH)

bench-pages: $(VENV)/.test ## server time of every page with 5,000 affiliates, 100,000 alerts, two years of nights (BENCH="--nights 30")
	$(BIN)/python -m tests.benchmarks.pages $(BENCH)

bench-idle: $(VENV)/.test ## what a service costs that nobody calls, and how soon it finds work (BENCH="--database URL --seconds 30")
	$(BIN)/python -m tests.benchmarks.idle $(BENCH)

bench-policy: $(VENV)/.test ## `fraud policy diff` over 30 nights of 1,000 affiliates (BENCH="--nights 5")
	$(BIN)/python -m tests.benchmarks.policy $(BENCH)

docs: $(VENV)/.test ## the documentation as a site, in build/site; any warning fails it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench-api: $(VENV)/.test ## the scoring service against an endpoint that does nothing (needs wrk and two cores)
	$(BIN)/python -m tests.benchmarks.api $(BENCH)

audit: $(VENV)/.test ## known faults of the locked dependencies (FRAUD_AUDIT_ADVISORIES=osv.zip, or pip-audit and a network)
	$(BIN)/python -m tests.deploy.audit

check: $(VENV)/.test ## style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps

# Runtime packages alone are enough to run; the mark is newer than what it was made from. Installing keeps one core busy: on another the
# kernels are compiled meanwhile, which need no more than the three packages that come first.
$(VENV)/.run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing (once; a few minutes on a slow line)"
	@awk '/^[A-Za-z0-9]/ { kept = /^(llvmlite|numba|numpy)==/ } kept' requirements.txt >$(VENV)/first.txt
	@$(INSTALL) --require-hashes -r $(VENV)/first.txt
	@$(BIN)/python -m fraud.app.compiling & compiling=$$!; \
	$(INSTALL) --require-hashes -r requirements.txt && $(INSTALL) --no-build-isolation -e .; installed=$$?; \
	wait $$compiling || echo "The kernels were not compiled ahead: the first scan will do it, and take longer."; \
	exit $$installed
	@touch $@

$(VENV)/.test: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 test"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: ## resolve the dependencies anew (needs uv)
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.txt
	$(LOCK) --extra build --extra postgres --extra redis -c requirements-dev.txt pyproject.toml -o requirements.txt
	echo 'pyspark>=4.0' | $(LOCK) -c requirements-dev.txt - -o requirements-spark.txt

clean: ## remove the virtual environment and the demonstration
	rm -rf $(VENV) $(DEMO)
