"""Measuring the method beside what users have without it: floors, real scenes, speed.

The command (`engine/benchmark.py`) makes a `bench`, gives it `scenes`, and runs a suite: those of `suites` and
`readouts`, the grid of methods and the robustness of `comparison`, the papers' tables of `published`, the rates of
`speed`, the sensors' `value`. Runs are stored line by line (`runs`); `results` and `tables` say what they say together.
"""
