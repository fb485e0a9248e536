"""Scenes with the shape of the published benchmarks and a known truth. Nothing in them was measured.

Reading order: `shapes.py` (what there is to imitate), `materials.py` (spectra), `landscape.py` (who is where, how
high), `sensors.py` (what sensors see of it), `write.py` (files and a training job).
"""
