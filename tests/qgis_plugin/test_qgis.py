"""Is QGIS there at all? The other tests of this folder are not even collected without it."""

import pytest


def test_qgis_is_installed():
    pytest.importorskip(
        "qgis.core",
        reason="the Python that runs this has no QGIS; on Debian and Ubuntu: apt-get install --no-install-recommends "
        "qgis python3-qgis qgis-providers, then `make test`",
    )
