"""No test leaves a trace in those after it, whatever runs first."""

import os

from engine.trust import NO_NETWORK, keep_gdal_local
from tests.conftest import pytest_runtest_protocol


def test_the_environment_is_put_back(monkeypatch):
    """Also where a fixture of a module set it: one did, and cut another test off from its web server."""
    gone, kept = [*NO_NETWORK][:2]
    monkeypatch.delenv(gone, raising=False)
    monkeypatch.setenv(kept, "before")
    protocol = pytest_runtest_protocol()
    next(protocol)
    keep_gdal_local()
    assert {name: os.environ[name] for name in NO_NETWORK} == NO_NETWORK
    protocol.close()
    assert gone not in os.environ and os.environ[kept] == "before"
