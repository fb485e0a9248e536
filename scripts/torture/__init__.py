"""Kills, faults and mutated files: what a machine and strangers may do to a job. `python -m scripts.torture`."""
