"""Streaming maps: reader thread, model, writer thread.

Reading order: `map.py` (the story), `job.py`, `plan.py`, `pipeline.py`, `infer.py`, `products.py`,
`store.py`, `output.py`. Only `map.py`, `infer.py` and `calibration.py` import torch; `python -m engine.inspect` uses
others without it.
"""
