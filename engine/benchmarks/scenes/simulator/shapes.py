"""The published benchmarks as tables: size, sensors, classes, official split; and what classes are made of.

Sizes, classes and splits are those of the data sets; what a class is made of, how high it is and how it scatters are
round numbers of ours, chosen so that some classes can be told apart by one sensor only.
"""

from __future__ import annotations

from dataclasses import dataclass

_GRASS, _DRY_GRASS = {"leaf": 0.75, "straw": 0.15, "soil": 0.1}, {"leaf": 0.45, "straw": 0.35, "soil": 0.2}
_TREES, _SOIL, _WATER = {"leaf": 0.9, "straw": 0.1}, {"soil": 0.9, "straw": 0.1}, {"water": 1.0}
_ROAD, _ROOF, _HALL = {"asphalt": 0.9, "concrete": 0.1}, {"tile": 0.7, "concrete": 0.3}, {"metal": 0.6, "concrete": 0.4}


@dataclass(frozen=True)
class Cover:
    """One class.

    Attributes:
        name: of the class.
        train: pixels of the official training side.
        test: pixels of the official test side.
        materials: share of each material.
        height_m: above ground, mean.
        rough_m: deviation of heights within it.
        vv_db: backscatter, VV.
        vh_db: backscatter, VH.
    """

    name: str
    train: int
    test: int
    materials: dict[str, float]
    height_m: float = 0.1
    rough_m: float = 0.1
    vv_db: float = -13.0
    vh_db: float = -21.0


@dataclass(frozen=True)
class SceneShape:
    """One benchmark.

    Attributes:
        rows: height, pixels.
        cols: width, pixels.
        pixel_m: side of a pixel.
        epsg: its UTM zone.
        corner: easting and northing of the upper left corner, near the place.
        nm: first and last wavelength of the cube.
        bands: of each sensor, by name, the cube first.
        parcel_px: side of a typical parcel.
        covers: the classes.
    """

    rows: int
    cols: int
    pixel_m: float
    epsg: int
    corner: tuple[float, float]
    nm: tuple[float, float]
    bands: dict[str, int]
    parcel_px: float
    covers: tuple[Cover, ...]


_AUGSBURG = (
    Cover("forest", 146, 13361, _TREES, 16, 4, -9, -14),
    Cover("residential area", 264, 30065, {"tile": 0.4, "leaf": 0.35, "asphalt": 0.25}, 5, 3, -6, -14),
    Cover("industrial area", 21, 3830, _HALL, 8, 2, -3, -13),
    Cover("low plants", 248, 26609, {"leaf": 0.6, "soil": 0.3, "straw": 0.1}, 0.4, 0.3, -12, -19),
    Cover("allotment", 52, 523, {"leaf": 0.55, "soil": 0.2, "tile": 0.25}, 2, 1.5, -9, -16),
    Cover("commercial area", 7, 1638, {"concrete": 0.5, "asphalt": 0.3, "metal": 0.2}, 7, 3, -4, -13),
    Cover("water", 23, 1507, _WATER, 0, 0.05, -19, -27),
)

SHAPES = {
    "houston2013": SceneShape(
        349, 1905, 2.5, 32615, (272_000.0, 3_290_300.0), (364, 1046), {"hsi": 144, "lidar": 1}, 22,
        (
            Cover("healthy grass", 198, 1053, _GRASS, 0.1, 0.05),
            Cover("stressed grass", 190, 1064, _DRY_GRASS, 0.1, 0.05),
            Cover("synthetic grass", 192, 505, {"turf": 1.0}, 0.05, 0.03),
            Cover("trees", 188, 1056, _TREES, 8, 3),
            Cover("soil", 186, 1056, _SOIL, 0.1, 0.1),
            Cover("water", 182, 143, _WATER, 0, 0.02),
            Cover("residential", 196, 1072, _ROOF, 5, 1),
            Cover("commercial", 191, 1053, {"concrete": 0.6, "metal": 0.4}, 12, 3),
            Cover("road", 193, 1059, _ROAD, 0.05, 0.05),
            Cover("highway", 191, 1036, {"concrete": 0.55, "asphalt": 0.45}, 3, 2),
            Cover("railway", 181, 1054, {"asphalt": 0.4, "soil": 0.4, "metal": 0.2}, 0.6, 0.2),
            Cover("parking lot 1", 192, 1041, {"asphalt": 0.75, "metal": 0.25}, 0.5, 0.5),
            Cover("parking lot 2", 184, 285, {"asphalt": 0.6, "metal": 0.4}, 0.8, 0.6),
            Cover("tennis court", 181, 247, {"turf": 0.5, "rubber": 0.5}, 0.05, 0.03),
            Cover("running track", 187, 473, {"rubber": 1.0}, 0.05, 0.03),
        ),
    ),
    "trento": SceneShape(
        166, 600, 1.0, 25832, (664_000.0, 5_103_000.0), (403, 989), {"hsi": 63, "lidar": 2}, 26,
        (
            Cover("apple trees", 129, 3905, {"leaf": 0.75, "soil": 0.25}, 3, 0.8),
            Cover("buildings", 125, 2778, _ROOF, 7, 1.5),
            Cover("ground", 105, 374, _SOIL, 0.1, 0.1),
            Cover("woods", 154, 8969, _TREES, 13, 4),
            Cover("vineyard", 184, 10317, {"leaf": 0.6, "soil": 0.4}, 1.6, 0.5),
            Cover("roads", 122, 3052, _ROAD, 0.05, 0.05),
        ),
    ),
    "augsburg": SceneShape(
        332, 485, 30.0, 32632, (635_000.0, 5_362_000.0), (410, 2500), {"hsi": 180, "sar": 4}, 18, _AUGSBURG
    ),
    "augsburg3": SceneShape(
        332, 485, 30.0, 32632, (635_000.0, 5_362_000.0), (410, 2500), {"hsi": 180, "sar": 4, "dsm": 1}, 18, _AUGSBURG
    ),
}  # fmt: skip
