"""Many scenes with one model: a table of scenes, workers that map them, a manifest of what came out.

Reading order: `generate.py` and `run.py` (the story), `scene.py`, `table.py` and `catalogue.py` (what to map),
`order.py` (how), `work.py` (what a worker does), `pool.py` and `cluster.py` (where), `manifest.py`, `items.py` and
`model_item.py` (STAC). Only `cluster.py` imports Dask.
"""
