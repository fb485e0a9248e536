"""From a configuration to a model file.

Reading order: `run.py` (the whole job) with `prepare.py`, `loop.py` (the training story) with `losses.py`, `teacher.py`
and `schedule.py`, and with several processes `distributed.py`; `validate.py`, `calibrate.py` and `outcome.py` (what it
is worth); `checkpoint.py`, `warm_start.py`; `record.py` and `run_folder.py` (what is left in RUN/).
"""
