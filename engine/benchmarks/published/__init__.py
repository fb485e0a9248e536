"""The tables of the MaMOL paper (arXiv 2511.11460), on its data sets or on simulated scenes of their shapes.

Reading order: `layouts.py` (which files there are), `conditions.py` (which samples lack which sensors), `recipe.py`
(what is run), `suite.py` (running it), `numbers.py` (what the paper reports), `tables.py` (both side by side).
"""
