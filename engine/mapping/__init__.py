"""Streaming maps: reader thread, model, writer thread.

Reading order: `map.py` (the story), `setup.py`, `job.py`, `plan.py`, `pipeline.py`, `infer.py`, `products.py`,
`store.py`, `output.py`, `shards.py`. Only what runs the model imports torch; `python -m engine.inspect` uses the
others without it.
"""
