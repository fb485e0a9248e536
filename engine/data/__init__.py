"""From scenes to training batches: numpy and rasters, never torch.

Reading order: `scene.py` (rasters and labels of one place), `splits.py` with `spatial_blocks.py` (which pixel trains,
chooses, tests), `statistics.py`, `window_cache.py` (what training reads), `sampling.py` and `missing.py` (what is
drawn), `batches.py` (one batch as a pure function of seed and step); `mixing.py` and `mixed_windows.py` (samples of two
places).
"""
