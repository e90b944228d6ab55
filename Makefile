# For contributors. Users need none of this: see README.md.
.PHONY: test check faults worlds lock screenshots bench

test:
	python3 -m provisioning test

check: ## the checks without the suite
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/lint-imports

faults: ## 150 faults at random and more, two in three of which kill something, until 100,000 questions were answered
	.venv/bin/python -m tests.faults.campaign --faults 150 --probes 100000 --rest 2

worlds: ## twenty times as many generated worlds, in which everybody's access is judged, as the suite looks at
	DEEPER=20 .venv/bin/pytest -q tests/access/test_worlds.py

screenshots: ## pictures of every page of the console, for the documentation
	.venv/bin/pytest -q tests/browser/screenshots.py

COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

lock: ## bring the locks to the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --extra setup pyproject.toml -o config/locks/requirements.lock
	$(COMPILE) --upgrade --extra setup --extra test -c config/locks/requirements.lock pyproject.toml -o config/locks/requirements-test.lock
	echo uv | $(COMPILE) --upgrade - -o config/locks/bootstrap.lock
	$(COMPILE) --upgrade benchmarks/peers.in -o benchmarks/peers.lock

bench: ## the service beside the floor and its peers, into docs/performance.md; ARGS=--quick for three minutes
	.venv/bin/python -m benchmarks $(ARGS)
