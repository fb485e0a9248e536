# make demo   install, train on the sample scene, map it with all sensors, without the cube, and with a cut cube
# make test   install and run every test
# make lint   style and types
#
# Nothing here uses sudo. VENV=path uses another virtual environment, PYTHON=path another interpreter to make it with.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n auto

.PHONY: demo test lint qgis clean

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
	    --reference lidar --confidence demo/without_cube_confidence.tif --sensors-used demo/without_cube_used.tif \
	    --layer lidar=sample_data/lidar.tif --layer sar=sample_data/sar.tif
	$(BIN)/python -m engine.predict demo/run/model.safetensors --out demo/cut_cube.tif \
	    --confidence demo/cut_cube_confidence.tif --sensors-used demo/cut_cube_used.tif \
	    --layer hsi=sample_data/hsi_cut.tif --layer lidar=sample_data/lidar.tif --layer sar=sample_data/sar.tif
	$(BIN)/python -m engine.evaluate demo/cut_cube.tif sample_data/truth.tif \
	    --sensors-used demo/cut_cube_used.tif --out demo/cut_cube_accuracy
	$(BIN)/python scripts/picture.py demo demo/demo.png
	@echo "Maps: demo/*.tif   picture: demo/demo.png   reports: demo/run/report.html demo/cut_cube_accuracy/report.html"

test: $(VENV)/.installed-test qgis
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

# The plugin's tests need QGIS. Where there are such tests and this user may install packages, apt brings it.
qgis:
	@if [ -d tests/qgis_plugin ] && ! command -v qgis_process >/dev/null 2>&1; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qgis python3-qgis; \
	    else \
	        echo "QGIS is not installed and this user cannot install it: the plugin's tests will be skipped"; \
	    fi; \
	fi

clean:
	rm -rf demo build *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
