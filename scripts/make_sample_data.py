"""Write a small simulated scene with known truth: hyperspectral cube, LiDAR heights, SAR, labels.

Nothing in it was measured. It has what real scenes have: three sensors with three pixel sizes and two CRSs, a hole in
the LiDAR, bad bands in the cube, mixed pixels, shading, speckle, and classes that one sensor confuses and another
separates:

    trees / grass         alike in the cube, apart in height
    built-up / bare soil  red roofs look like soil in the cube, apart in height; streets the other way round
    crops / grass         alike in height, half apart in the cube, apart in SAR (volume scattering of crops)
    water                 dark in the cube and in SAR, flat as fields in the LiDAR

    python scripts/make_sample_data.py sample_data
"""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas
import numpy as np
import rasterio
import shapely
from rasterio.crs import CRS
from rasterio.features import shapes
from rasterio.transform import Affine, from_origin
from rasterio.warp import Resampling, calculate_default_transform, reproject
from scipy import ndimage

CLASSES = ("water", "trees", "grass", "crops", "built-up", "bare soil")
COLOURS = ((43, 109, 179), (24, 106, 59), (140, 198, 84), (233, 196, 70), (196, 60, 52), (160, 120, 85))
WATER, TREES, GRASS, CROPS, BUILT, SOIL = range(1, 7)  # pixel values; 0 is nodata

FINE_M, CUBE_M, SAR_M = 2.5, 5.0, 10.0  # pixel sizes: truth and LiDAR, cube, SAR
UTM, LAEA = CRS.from_epsg(25833), CRS.from_epsg(3035)
WEST, NORTH = 383_000.0, 5_811_000.0
HEIGHT_NODATA, CUBE_NODATA, SAR_NODATA = -9999.0, -32768, np.nan
CUBE_SCALE = 0.001  # stored integer x scale = reflectance
BAD_NM = ((1350, 1430), (1810, 1950))  # water vapour: bands marked bad


def main() -> None:
    """Parse the arguments and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=200, help="height in pixels of the cube")
    parser.add_argument("--cols", type=int, default=240, help="width in pixels of the cube")
    parser.add_argument("--bands", type=int, default=40, help="bands of the cube")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    write_scene(arguments.folder, arguments.rows, arguments.cols, arguments.bands, arguments.seed)


def write_scene(folder: Path, rows: int, cols: int, bands: int, seed: int) -> None:
    """Simulate and write hsi.tif, hsi_cut.tif, lidar.tif, sar.tif, labels.gpkg, labels.qml and truth.tif."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    fine, parcels, roofs = simulate_landscape(rng, rows * 2, cols * 2)
    truth = majority(fine)
    wavelengths_nm = np.linspace(420, 2400, bands)
    cube = simulate_cube(rng, fine, parcels, roofs, wavelengths_nm)
    write_cube(folder / "hsi.tif", cube, wavelengths_nm)
    write_cube(folder / "hsi_cut.tif", np.where(swath(rows, cols), cube, CUBE_NODATA), wavelengths_nm)
    write_heights(folder / "lidar.tif", simulate_heights(rng, fine, roofs))
    write_sar(folder / "sar.tif", rng, fine, parcels)
    write_truth(folder / "truth.tif", truth)
    write_labels(folder / "labels.gpkg", rng, truth)
    (folder / "labels.qml").write_text(label_style(), encoding="utf-8")


# --- landscape --------------------------------------------------------------------------------------------------------


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> np.ndarray:
    """Gaussian field of mean 0 and standard deviation 1 whose structures are about `sigma_px` wide."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), sigma_px, mode="wrap")
    return (field - field.mean()) / field.std()


def simulate_landscape(rng: np.random.Generator, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class values, parcel numbers and roofs (bool), each (rows, cols) on the fine grid."""
    row, col = np.mgrid[:rows, :cols].astype(float)
    angle = np.deg2rad(14)
    along, across = col * np.cos(angle) + row * np.sin(angle), row * np.cos(angle) - col * np.sin(angle)
    strip = np.floor(across / 46 + 0.25 * np.sin(along / 150)).astype(int)
    parcels = np.unique(strip * 1000 + np.floor((along + 37 * strip) / 78).astype(int), return_inverse=True)[1]
    parcels = parcels.reshape(rows, cols)
    use = rng.permutation(np.resize([CROPS, GRASS, SOIL, CROPS, GRASS], parcels.max() + 1))
    classes = use[parcels]

    woods = smooth_noise(rng, (rows, cols), 24)
    classes[woods > 0.95] = TREES
    hedge = (np.abs(across / 46 + 0.25 * np.sin(along / 150) - np.round(across / 46)) < 0.05) & (woods > -0.2)
    classes[hedge] = TREES

    roofs = np.zeros((rows, cols), bool)
    for centre_row, centre_col, size in ((0.30, 0.28, 0.17), (0.72, 0.70, 0.19), (0.14, 0.82, 0.10)):
        reach = size * min(rows, cols) * (1 + 0.15 * smooth_noise(rng, (rows, cols), 15))
        village = np.hypot(row - centre_row * rows, col - centre_col * cols) < reach
        classes[village] = np.where(smooth_noise(rng, (rows, cols), 5) > 0.9, TREES, GRASS)[village]
        street = village & ((np.mod(along, 44) < 6) | (np.mod(across, 34) < 5))
        house = village & (np.mod(along - 13, 22) < 14) & (np.mod(across - 10, 34) < 17)
        classes[street | house] = BUILT
        roofs |= house & ~street

    bank = rows * (0.54 + 0.10 * np.sin(col / cols * 2.1 * np.pi) + 0.03 * np.sin(col / 31))
    river = np.abs(row - bank) < 11 + 4 * np.sin(col / 57)
    pond = np.hypot((row - 0.86 * rows) / 0.8, col - 0.17 * cols) < 0.075 * min(rows, cols)
    classes[river | pond] = WATER
    roofs &= classes == BUILT
    return classes.astype(np.uint8), parcels, roofs


def majority(fine: np.ndarray) -> np.ndarray:
    """Most frequent class of each 2 x 2 fine pixels: the truth on the cube's grid."""
    counts = np.stack([mean_2x2(fine == value) for value in range(1, len(CLASSES) + 1)])
    return (counts.argmax(0) + 1).astype(np.uint8)


def mean_2x2(values: np.ndarray) -> np.ndarray:
    """Average of 2 x 2 pixels over the last two axes."""
    *front, rows, cols = values.shape
    return values.reshape(*front, rows // 2, 2, cols // 2, 2).mean((-3, -1))


def swath(rows: int, cols: int) -> np.ndarray:
    """Where the cut cube was recorded: left of a slanted swath edge, without one cloud."""
    row, col = np.mgrid[:rows, :cols]
    cloud = np.hypot((row - 0.30 * rows) / 0.7, col - 0.22 * cols) < 0.11 * cols
    return (col < 0.62 * cols - 0.25 * (row - rows / 2)) & ~cloud


# --- sensors ----------------------------------------------------------------------------------------------------------


def spectra(nm: np.ndarray) -> dict[str, np.ndarray]:
    """Reflectance of pure materials at wavelengths `nm`, drawn from textbook shapes (edges, absorption bands)."""

    def step(edge: float, width: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(nm - edge) / width))

    def dip(centre: float, width: float, depth: float) -> np.ndarray:
        return 1 - depth * np.exp(-(((nm - centre) / width) ** 2))

    leaf = (0.035 + 0.05 * np.exp(-(((nm - 550) / 38) ** 2)) + 0.42 * step(718, 14)) * (1 - 0.45 * step(1350, 60))
    leaf = leaf * dip(1450, 60, 0.55) * dip(1940, 75, 0.65) * (1 - 0.35 * step(2200, 150))
    straw = (0.08 + 0.30 * step(720, 160)) * dip(1940, 70, 0.35) * dip(2100, 60, 0.12)
    soil = (0.06 + 0.30 * step(760, 210)) * dip(1420, 40, 0.12) * dip(1930, 60, 0.22) * dip(2205, 30, 0.10)
    tile = (0.05 + 0.31 * step(700, 150)) * dip(880, 90, 0.07) * dip(1930, 60, 0.12) * dip(2205, 30, 0.05)
    concrete = 0.17 + 0.07 * step(900, 300)
    water = 0.055 * np.exp(-(((nm - 540) / 150) ** 2)) + 0.008
    return {"leaf": leaf, "straw": straw, "soil": soil, "tile": tile, "concrete": concrete, "water": water}


def simulate_cube(
    rng: np.random.Generator, fine: np.ndarray, parcels: np.ndarray, roofs: np.ndarray, nm: np.ndarray
) -> np.ndarray:
    """Stored integers (bands, rows, cols) of the cube: material mixtures on the fine grid, averaged, shaded, noisy."""
    shape = fine.shape
    pure = spectra(nm)
    patch = rng.standard_normal(parcels.max() + 1)[parcels]  # fields differ
    texture = smooth_noise(rng, shape, 3)
    dryness = np.clip(0.30 + 0.18 * patch + 0.10 * texture, 0.02, 0.95)
    red = smooth_noise(rng, shape, 9) > -0.4  # most roofs are of tile, some of concrete

    weights = {name: np.zeros(shape) for name in pure}
    for value, name, share in (
        (WATER, "water", np.ones(shape)),
        (TREES, "leaf", np.clip(0.80 + 0.07 * texture, 0, 1)),
        (GRASS, "leaf", 1 - 0.75 * dryness),
        (CROPS, "leaf", np.clip(0.95 - 0.9 * dryness, 0.05, 1)),
        (SOIL, "soil", np.clip(0.93 + 0.05 * texture, 0, 1)),
    ):
        weights[name][fine == value] = share[fine == value]
    rest = 1 - weights["leaf"]
    weights["straw"][fine == GRASS] = (0.7 * rest)[fine == GRASS]
    weights["soil"][fine == GRASS] = (0.3 * rest)[fine == GRASS]
    weights["straw"][fine == CROPS] = (0.35 * rest)[fine == CROPS]
    weights["soil"][fine == CROPS] = (0.65 * rest)[fine == CROPS]
    weights["straw"][fine == TREES] = (0.8 * rest)[fine == TREES]
    weights["straw"][fine == SOIL] = (1 - weights["soil"])[fine == SOIL]
    weights["tile"][roofs & red] = 1
    weights["concrete"][(fine == BUILT) & ~(roofs & red)] = 1

    light = (
        1 + 0.13 * smooth_noise(rng, shape, 1.5) * np.isin(fine, (TREES, BUILT)) + 0.05 * smooth_noise(rng, shape, 30)
    )
    light = light + 0.07 * patch * np.isin(fine, (GRASS, CROPS, SOIL))
    mixed = np.stack([mean_2x2(light * weights[name]) for name in pure])
    cube = np.einsum("mb,mrc->brc", np.stack(list(pure.values())), mixed)
    noise = np.where(bad_bands(nm), 0.03, 0.009)[:, None, None]
    return np.clip(np.rint((cube + noise * rng.standard_normal(cube.shape)) / CUBE_SCALE), 0, 1500).astype(np.int16)


def simulate_heights(rng: np.random.Generator, fine: np.ndarray, roofs: np.ndarray) -> np.ndarray:
    """Height above ground in metres (rows, cols) on the fine grid, nodata where the flight left a hole."""
    rows, cols = fine.shape
    crown = np.clip(11 + 4 * smooth_noise(rng, fine.shape, 2.5) + 2 * smooth_noise(rng, fine.shape, 30), 1.5, None)
    house = 6 + 1.5 * smooth_noise(rng, fine.shape, 12)
    height = np.select([fine == TREES, roofs, fine == CROPS, fine == GRASS], [crown, house, 0.5, 0.2], 0.05)
    height = height + np.abs(0.25 * rng.standard_normal(fine.shape))
    row, col = np.mgrid[:rows, :cols]
    hole = (np.abs(col - 0.80 * cols - 0.1 * (row - 0.5 * rows)) < 0.05 * cols) & (row > 0.25 * rows)
    return np.where(hole, HEIGHT_NODATA, np.round(height, 1)).astype(np.float32)


def write_sar(path: Path, rng: np.random.Generator, fine: np.ndarray, parcels: np.ndarray) -> None:
    """VV and VH backscatter in dB, 10 m pixels in another CRS, with the speckle of four looks."""
    mean_db = {
        WATER: (-19, -27),
        TREES: (-8, -13),
        GRASS: (-12, -20),
        CROPS: (-10, -15.5),
        BUILT: (-4, -12),
        SOIL: (-12.5, -22),
    }
    patch = 1.2 * rng.standard_normal(parcels.max() + 1)[parcels]  # moisture and row direction of each field
    patch[np.isin(fine, (WATER, TREES, BUILT))] = 0
    rows, cols = fine.shape
    source = from_origin(WEST, NORTH, FINE_M, FINE_M)
    bounds = (WEST, NORTH - rows * FINE_M, WEST + cols * FINE_M, NORTH)
    transform, width, height = calculate_default_transform(UTM, LAEA, cols, rows, *bounds, resolution=SAR_M)
    backscatter = np.full((2, height, width), np.nan, np.float32)
    for band in range(2):
        linear = np.zeros(fine.shape)
        for value, levels in mean_db.items():
            linear[fine == value] = 10 ** (levels[band] / 10)
        reproject(
            (linear * 10 ** (patch / 10)).astype(np.float32), backscatter[band],
            src_transform=source, src_crs=UTM, dst_transform=transform, dst_crs=LAEA,
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.average,
        )  # fmt: skip
    looks = 4
    speckled = backscatter * rng.gamma(looks, 1 / looks, backscatter.shape)
    decibel = np.round(10 * np.log10(speckled), 1).astype(np.float32)
    with rasterio.open(path, "w", **profile(decibel, transform, LAEA, SAR_NODATA)) as file:
        file.write(decibel)
        file.descriptions = ("VV", "VH")
        file.update_tags(1, unit="dB")
        file.update_tags(2, unit="dB")


# --- files ------------------------------------------------------------------------------------------------------------


def bad_bands(nm: np.ndarray) -> np.ndarray:
    """True for bands inside the water-vapour windows."""
    return np.any([(nm >= low) & (nm <= high) for low, high in BAD_NM], axis=0)


def profile(values: np.ndarray, transform: Affine, crs: CRS, nodata: float) -> dict:
    """Creation options of a compressed, tiled GeoTIFF for `values` (bands, rows, cols)."""
    return {
        "driver": "GTiff", "count": values.shape[0], "height": values.shape[1], "width": values.shape[2],
        "dtype": values.dtype, "transform": transform, "crs": crs, "nodata": nodata, "interleave": "band",
        "compress": "deflate", "zlevel": 9, "predictor": 3 if values.dtype.kind == "f" else 2,
        "tiled": True, "blockxsize": 256, "blockysize": 256,
    }  # fmt: skip


def write_cube(path: Path, cube: np.ndarray, nm: np.ndarray) -> None:
    """Write a cube with wavelength, bad-band flag and scale of each band."""
    transform = from_origin(WEST, NORTH, CUBE_M, CUBE_M)
    with rasterio.open(path, "w", **profile(cube.astype(np.int16), transform, UTM, CUBE_NODATA)) as file:
        file.write(cube.astype(np.int16))
        file.scales = (CUBE_SCALE,) * len(nm)
        for band, (wavelength, bad) in enumerate(zip(nm, bad_bands(nm), strict=True), start=1):
            file.update_tags(band, wavelength=f"{wavelength:.2f}", wavelength_units="nanometers", bbl=str(int(not bad)))


def write_heights(path: Path, heights: np.ndarray) -> None:
    """Write the heights on the fine grid."""
    transform = from_origin(WEST, NORTH, FINE_M, FINE_M)
    with rasterio.open(path, "w", **profile(heights[None], transform, UTM, HEIGHT_NODATA)) as file:
        file.write(heights, 1)
        file.set_band_description(1, "height above ground, m")


def write_truth(path: Path, truth: np.ndarray) -> None:
    """Write the class of every pixel of the cube's grid, with names and colours."""
    transform = from_origin(WEST, NORTH, CUBE_M, CUBE_M)
    with rasterio.open(path, "w", **profile(truth[None], transform, UTM, 0)) as file:
        file.write(truth, 1)
        file.write_colormap(1, {value: (*colour, 255) for value, colour in enumerate(COLOURS, start=1)})
    # GDAL keeps category names in a sidecar, and rasterio has no function for them.
    names = "".join(f"<Category>{name}</Category>" for name in ("nodata", *CLASSES))
    path.with_name(path.name + ".aux.xml").write_text(
        f'<PAMDataset><PAMRasterBand band="1"><CategoryNames>{names}</CategoryNames></PAMRasterBand></PAMDataset>\n',
        encoding="utf-8",
    )


def write_labels(
    path: Path, rng: np.random.Generator, truth: np.ndarray, per_class: int = 22, radius_px: int = 5
) -> None:
    """Write polygons as an analyst would draw them: inside homogeneous ground, spread over the scene."""
    transform = from_origin(WEST, NORTH, CUBE_M, CUBE_M)
    row, col = np.mgrid[: truth.shape[0], : truth.shape[1]]
    records = []
    for value, name in enumerate(CLASSES, start=1):
        inside = ndimage.binary_erosion(truth == value, border_value=0)
        if not inside.any():
            inside = truth == value
        free = inside.copy()
        for _ in range(per_class):
            candidates = np.argwhere(free)
            if not len(candidates):
                break
            centre = candidates[rng.integers(len(candidates))]
            distance = np.hypot(row - centre[0], col - centre[1])
            drawn, _ = ndimage.label(inside & (distance <= radius_px))
            mask = drawn == drawn[tuple(centre)]
            polygons = [shapely.geometry.shape(form) for form, _ in shapes(mask.astype(np.uint8), mask, 4, transform)]
            records.append({"class": name, "geometry": polygons[0].simplify(CUBE_M / 3)})
            free &= distance > 3 * radius_px
    frame = geopandas.GeoDataFrame(records, geometry="geometry", crs=UTM)
    path.unlink(missing_ok=True)
    frame.to_file(path, layer="labels", driver="GPKG")


def label_style() -> str:
    """A QGIS style of the labels: the classes' colours travel with them."""
    categories = "".join(
        f'<category value="{name}" label="{name}" symbol="{index}" render="true"/>'
        for index, name in enumerate(CLASSES)
    )
    symbols = "".join(
        f'<symbol name="{index}" type="fill"><layer class="SimpleFill" enabled="1"><Option type="Map">'
        f'<Option name="color" type="QString" value="{red},{green},{blue},255"/></Option></layer></symbol>'
        for index, (red, green, blue) in enumerate(COLOURS)
    )
    return (
        '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">\n<qgis>'
        f'<renderer-v2 type="categorizedSymbol" attr="class"><categories>{categories}</categories>'
        f"<symbols>{symbols}</symbols></renderer-v2></qgis>\n"
    )


if __name__ == "__main__":
    main()
