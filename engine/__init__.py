"""MaMOL land cover: maps from whatever sensors cover each pixel.

Importing this package costs nothing: torch and rasterio are imported by the rooms that need them, when they are needed.
"""

__version__ = "0.1.0"
