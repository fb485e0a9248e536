"""What tests of several suites need."""

import pytest

from engine.benchmarks.comparison.trial import run_trial
from engine.errors import Cancelled


@pytest.fixture
def stop_at(monkeypatch):
    """`stop_at(module, number)`: the training of that number ends by a request to stop; returns the list of all."""

    def install(module, number):
        calls = []

        def stopping(*arguments):
            calls.append(arguments)
            if len(calls) == number:
                raise Cancelled("stopped")
            return run_trial(*arguments)

        monkeypatch.setattr(module, "run_trial", stopping)
        return calls

    return install
