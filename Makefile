# The course's commands. README.md gives what they run, for those without make.
# One chapter only: make test NB=02, make refresh NB=02, make replicate NB=02.

PYTHON ?= python3
NB ?=
SEED ?=
RECORD ?=
URL ?=
PORT ?= 8000
py := .venv/bin/python
only := $(if $(NB),--only $(NB))
pytest := $(py) -m pytest -p tests.not_run
nbval := $(pytest) -n 2 --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=300 \
	--nbval-sanitize-with tests/nbval_sanitize.cfg
notebooks := notebooks/$(if $(NB),$(NB)_*.ipynb)

export OMP_NUM_THREADS ?= 1

.PHONY: help
help:
	@echo "make book        build the website into _build/html (no torch needed)"
	@echo "make test        run everything that must pass; NB=02 for one chapter"
	@echo "make serve       build the website and serve it on http://localhost:$(PORT)"
	@echo "make lab         open the notebooks in JupyterLab"
	@echo "make lint        check the style of code, notebooks and prose"
	@echo "make refresh     run the notebooks again and store their outputs; NB=02"
	@echo "make replicate   test every claim on other seeds: SEED=7, or RECORD=1; NB=02"
	@echo "make address     stamp the repository's address everywhere: URL=https://github.com/you/repo"
	@echo "make lighthouse  the site's marks for speed and access, medians of five (needs Node.js)"
	@echo "make bench       measure speeds, as ratios"
	@echo "make record      measure again what chapters show as recorded, on this machine's devices"
	@echo "make colab       run the notebooks as Colab would, each alone in an empty folder"
	@echo "make clean       remove .venv and _build"

.PHONY: site-env env
site-env:
	@$(PYTHON) tools/environment.py site
env:
	@$(PYTHON) tools/environment.py all

.PHONY: book serve
book: site-env
	.venv/bin/jupyter-book build . --all -W -n --keep-going
	@echo "Open _build/html/index.html, or type: make serve"
serve: book
	$(py) -m http.server --bind localhost --directory _build/html $(PORT)

.PHONY: test test-code test-notebooks test-site
test: env
	@$(py) -m tests.not_run --clear
	$(MAKE) --no-print-directory $(if $(NB),,test-code) test-notebooks $(if $(NB),,test-site)
	@$(py) -m tests.not_run
test-code: env
	$(pytest) -n 2 --dist loadscope tests --ignore tests/site --ignore tests/lab
test-notebooks: env
	$(if $(NB),$(pytest) tests/notebooks/test_contract.py tests/notebooks/test_exercises.py -k "$(NB)_ or $(NB).")
	$(nbval) $(notebooks)
	ATEN_CPU_CAPABILITY=default $(nbval) $(notebooks)
test-site: env book
	$(pytest) -n 2 --dist loadscope tests/lab tests/site

.PHONY: lab lint refresh replicate address lighthouse bench record colab clean
lab: env
	$(py) -m jupyterlab notebooks
lint: env
	$(py) -m ruff check .
	$(py) -m ruff format --check .
	$(py) -m codespell_lib README.md CONTRIBUTING.md book/*.md bnutils tools tests
refresh: env
	$(py) -m tools.refresh $(only)
replicate: env
	$(py) -m tools.replicate $(only) $(if $(SEED),--seed $(SEED)) $(if $(RECORD),--record)
address: site-env
	$(py) -m tools.address $(URL)
lighthouse: env book
	$(py) -m tools.lighthouse
bench: env
	$(py) -m tools.bench
record: env
	$(py) -m tools.record
	$(py) -m tools.record trainability
	$(py) -m tools.record rescues
	$(py) -m tools.record half_the_time
	$(py) -m tools.record alternatives
colab: env
	COLAB_FULL=1 $(pytest) tests/notebooks/test_colab.py
clean:
	rm -rf .venv _build
