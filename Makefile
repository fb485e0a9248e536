# make demo   install, train on the sample scene, map it with all sensors, without the cube, and with a cut cube
# make test   install and run every test
# make lint   style, types, known weaknesses
# make torture kill, fill, cut and mutate: half an hour
# make plugin pack the QGIS plugin into dist/
#
# Nothing here uses sudo. VENV=path uses another virtual environment, PYTHON=path another interpreter to make it with.
# QGIS_PYTHON=path is the interpreter that QGIS belongs to.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n auto
QGIS_PYTHON ?= /usr/bin/python3
QGIS_VENV ?= .venv-qgis
QGIS_PACKAGES := qgis python3-qgis qgis-providers python3-venv qttools5-dev-tools

.PHONY: demo test test-engine test-plugin lint torture plugin qgis clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of extras, renewed when the list of dependencies changes.
$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e ".[$*]"
	@touch $@

demo: $(VENV)/.installed-all
	rm -rf demo
	$(BIN)/python -m engine.train sample_data/config.toml --out demo/run
	$(BIN)/python -m engine.predict demo/run/model.safetensors --out demo/all_sensors.tif \
	    --confidence demo/all_sensors_confidence.tif --sensors-used demo/all_sensors_used.tif \
	    --layer hsi=sample_data/hsi.tif --layer lidar=sample_data/lidar.tif --layer sar=sample_data/sar.tif
	$(BIN)/python -m engine.predict demo/run/model.safetensors --out demo/without_cube.tif \
	    --confidence demo/without_cube_confidence.tif --sensors-used demo/without_cube_used.tif \
	    --layer lidar=sample_data/lidar.tif --layer sar=sample_data/sar.tif
	$(BIN)/python -m engine.predict demo/run/model.safetensors --out demo/cut_cube.tif \
	    --confidence demo/cut_cube_confidence.tif --sensors-used demo/cut_cube_used.tif \
	    --layer hsi=sample_data/hsi_cut.tif --layer lidar=sample_data/lidar.tif --layer sar=sample_data/sar.tif
	$(BIN)/python -m engine.evaluate demo/cut_cube.tif sample_data/truth.tif \
	    --sensors-used demo/cut_cube_used.tif --out demo/cut_cube_accuracy
	$(BIN)/python scripts/picture.py demo demo/demo.png
	@echo "Maps: demo/*.tif   picture: demo/demo.png   reports: demo/run/report.html demo/cut_cube_accuracy/report.html"

test: test-engine test-plugin

test-engine: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS) --ignore tests/qgis_plugin

# Under the Python that QGIS belongs to, with pytest from an environment that sees its packages; the engine stays in its
# own. Without QGIS one test is left, which says what to install.
test-plugin: $(VENV)/.installed-test qgis
	@if $(QGIS_PYTHON) -c "import qgis.core, ensurepip" >/dev/null 2>&1; then \
	    [ $(QGIS_VENV)/.installed -nt Makefile ] || { \
	        $(QGIS_PYTHON) -m venv --system-site-packages $(QGIS_VENV) && \
	        $(QGIS_VENV)/bin/python -m pip install --quiet "pytest>=8.0" "pytest-timeout>=2.3" "pytest-qgis>=5.0" && \
	        touch $(QGIS_VENV)/.installed; } && \
	    QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 MAMOL_ENGINE_PYTHON="$(abspath $(BIN)/python)" \
	        $(QGIS_VENV)/bin/python -m pytest tests/qgis_plugin; \
	else \
	    $(BIN)/python -m pytest tests/qgis_plugin; \
	fi

lint: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python scripts/lint_plugin.py
	$(BIN)/python scripts/audit.py

# Kills, faults and mutated files: half an hour; goes on where it was stopped. As root, for small disks. docs/torture.md
# is its page.
torture: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m scripts.torture --page docs/torture.md

plugin: $(VENV)/.installed-dev
	$(BIN)/python scripts/package_plugin.py

# The plugin's tests need QGIS. Where this user may install packages, apt brings it.
qgis:
	@if $(QGIS_PYTHON) -c "import qgis.core, ensurepip" >/dev/null 2>&1; then \
	    :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(QGIS_PACKAGES); \
	else \
	    echo "QGIS is not installed, and this user cannot install it. On Debian and Ubuntu, as root:"; \
	    echo "    apt-get install --no-install-recommends $(QGIS_PACKAGES)"; \
	fi

clean:
	rm -rf demo build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
