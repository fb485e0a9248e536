"""What files of strangers may reach: files of this machine; no network and no code, unless the user asks for it.

`MAMOL_NETWORK=1` in the environment is how the user asks for the network: no file can set it. Python in virtual rasters
has a switch already, GDAL's own `GDAL_VRT_ENABLE_PYTHON`. See docs/security.md.
"""

from __future__ import annotations

import os
import re

# A URL, a share of another machine, one of GDAL's virtual file systems, or a driver's own syntax (`WMTS:...`). One
# letter before a colon is a drive of Windows.
_ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+\-_]+:|//|\\\\|/vsi)", re.IGNORECASE)

# Nothing of GDAL gets through: a proxy that is not there for HTTP, and no name allowed for /vsicurl/, /vsis3/ and their
# kin. Schemas and pages that files name are not fetched, and views in databases call no functions of GDAL.
NO_NETWORK = {
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "GDAL_HTTPS_PROXY": "127.0.0.1:9",
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "OGR_SQLITE_PRAGMA": "trusted_schema=0",
}


def network_is_allowed() -> bool:
    """Whether the user asked for the network."""
    return os.environ.get("MAMOL_NETWORK") == "1"


def python_is_allowed() -> bool:
    """Whether the user lets GDAL run Python that virtual rasters contain."""
    return os.environ.get("GDAL_VRT_ENABLE_PYTHON", "NO").upper() in ("YES", "ON", "TRUE", "1", "TRUSTED_MODULES")


def leads_elsewhere(name: str) -> bool:
    """True for a name in a file that is no plain path on this machine's disks."""
    return bool(_ELSEWHERE.match(name))


def keep_gdal_local() -> None:
    """Cut GDAL off from the network for the rest of this process and those it starts, unless the user asked for it."""
    if not network_is_allowed():
        os.environ.update(NO_NETWORK)
