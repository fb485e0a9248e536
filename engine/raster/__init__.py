"""Rasters and labels of one place on one grid: numpy and rasterio, never torch.

Reading order: `windows.py` and `grid.py` (pure geometry); `sources.py` (what can be read) with `raster_file.py`,
`envi.py` and `matfile.py`; `placement.py` and `resample.py` (a source on another grid); `bands.py`, `stack.py` (all
layers of a place); `normalise.py`; `labels.py` with `label_raster.py`, `label_vector.py` and `legends.py`; `aoi.py`;
`writer.py`, `symbology.py` (maps).

Arrays are (band, row, col), values float32, validity bool; band numbers are 1-based, everything else counts from 0.
"""
