import geopandas
import numpy as np
import pytest
import scipy.io
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from shapely import Point, Polygon, box

from engine.errors import LabelError, RasterOpenError
from engine.raster.grid import Grid
from engine.raster.label_raster import connected_regions
from engine.raster.labels import read_labels
from engine.raster.placement import transform_points
from tests.raster.conftest import UTM33


@pytest.fixture
def grid():
    """8 x 10 pixels of 10 m with the lower left corner at (500000, 5799920)."""
    return Grid(8, 10, Affine(10, 0, 500_000, 0, -10, 5_800_000), UTM33)


def pixel_box(row, col, height, width):
    """The polygon of a window of `grid`."""
    return box(500_000 + 10 * col, 5_800_000 - 10 * (row + height), 500_000 + 10 * (col + width), 5_800_000 - 10 * row)


def centre(row, col):
    return Point(500_005 + 10 * col, 5_799_995 - 10 * row)


@pytest.fixture
def make_vector(tmp_path):
    def make(shapes, name="labels.gpkg", crs="EPSG:32633", layer=None, **fields):
        frame = geopandas.GeoDataFrame(fields or {"class": range(1, len(shapes) + 1)}, geometry=list(shapes), crs=crs)
        options = {"layer": layer} if layer else {}
        frame.to_file(tmp_path / name, **options)
        return tmp_path / name

    return make


def value_map(labels, grid):
    """Class values as an array, 0 where there is none."""
    found = np.zeros((grid.height, grid.width), int)
    found[labels.rows, labels.cols] = np.array(labels.legend.values)[labels.classes]
    return found


def test_raster_on_the_grid(make_raster, grid):
    array = np.zeros((8, 10), np.uint8)
    array[1:3, 2:5], array[6, 0:3], array[7, 9] = 4, 2, 9
    labels = read_labels(make_raster("a.tif", array), grid=grid)
    np.testing.assert_array_equal(value_map(labels, grid), array)
    assert labels.legend.values == [2, 4, 9] and labels.legend.names == ["class 2", "class 4", "class 9"]
    assert labels.rows.dtype == labels.classes.dtype == labels.region.dtype == np.int64
    assert len(set(labels.region)) == 3


def test_nodata_and_ignored_values_are_unlabelled(make_raster, grid):
    array = np.full((8, 10), 255, np.uint8)
    array[0], array[1], array[2] = 1, 2, 7
    labels = read_labels(make_raster("a.tif", array, nodata=255), grid=grid, ignore=(7,))
    assert labels.legend.values == [1, 2] and len(labels.rows) == 20


def test_raster_on_another_grid_is_taken_by_nearest_neighbour(make_raster, grid):
    fine = np.random.default_rng(0).integers(1, 4, (16, 20)).astype(np.uint8)
    path = make_raster("a.tif", fine, transform=Affine(5, 0, 500_001, 0, -5, 5_800_001))
    # The centre of pixel (r, c) is 4 m right of and 6 m below the fine raster's corner, plus 10 m for each pixel.
    np.testing.assert_array_equal(value_map(read_labels(path, grid=grid), grid), fine[1::2, 0::2])


def test_raster_in_another_crs(make_grid_raster, grid):
    wgs84 = CRS.from_epsg(4326)
    corner = transform_points(UTM33, wgs84, np.array([499_990.0]), np.array([5_800_010.0]))
    degrees = Grid(150, 200, Affine(1e-5, 0, corner[0][0], 0, -1e-5, corner[1][0]), wgs84)

    def west_or_east(x, y):
        return np.where(transform_points(wgs84, UTM33, x.ravel(), y.ravel())[0] < 500_050, 1, 2).reshape(x.shape)

    labels = read_labels(make_grid_raster("a.tif", degrees, west_or_east, np.uint8), grid=grid)
    np.testing.assert_array_equal(value_map(labels, grid), np.tile([1] * 5 + [2] * 5, (8, 1)))


def test_regions_of_a_raster_touch_by_side_or_corner():
    array = np.array([[1, 0, 0, 2], [0, 1, 0, 2], [2, 1, 1, 0], [2, 0, 0, 1]])
    rows, cols = np.nonzero(array)
    regions = connected_regions(rows, cols, array[rows, cols], 4)
    found = {}
    for row, col, region in zip(rows, cols, regions, strict=True):
        found.setdefault(region, set()).add((int(row), int(col)))
    assert sorted(map(len, found.values())) == [2, 2, 5]


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 1000))
def test_regions_equal_those_of_an_image_library(height, width, seed):
    from scipy import ndimage

    array = np.random.default_rng(seed).integers(0, 3, (height, width))
    rows, cols = np.nonzero(array)
    regions = connected_regions(rows, cols, array[rows, cols], width)
    expected = sum(
        ndimage.label(array == value, structure=np.ones((3, 3)))[0] + (array == value) * 100 * value for value in (1, 2)
    )
    pairs = set(zip(regions.tolist(), expected[rows, cols].tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_float_class_values_are_fine_if_they_are_whole(make_raster, grid):
    array = np.ones((8, 10), np.float32)
    array[4:] = 2
    assert read_labels(make_raster("a.tif", array), grid=grid).legend.values == [1, 2]
    array[0, 0] = 1.5
    with pytest.raises(LabelError, match=r"value 1\.5 is not a whole number"):
        read_labels(make_raster("a.tif", array), grid=grid)


@pytest.mark.parametrize("value", [-9999, 70000])
def test_values_beyond_a_class_map_are_refused(make_raster, grid, value):
    array = np.ones((8, 10), np.int32)
    array[0, 0] = value
    with pytest.raises(LabelError, match=f"class value {value} does not fit .* add {value} to labels.ignore"):
        read_labels(make_raster("a.tif", array), grid=grid)
    assert read_labels(make_raster("a.tif", array), grid=grid, ignore=[value]).legend.values == [1]


def test_a_label_matrix_of_a_benchmark_lies_on_a_grid_of_its_shape(tmp_path, grid):
    array = np.random.default_rng(0).integers(0, 3, (8, 10)).astype(np.uint8)
    scipy.io.savemat(tmp_path / "TRLabel.mat", {"TRLabel": array, "other": array})
    np.testing.assert_array_equal(value_map(read_labels(f"{tmp_path}/TRLabel.mat:TRLabel", grid=grid), grid), array)
    np.testing.assert_array_equal(
        value_map(read_labels(tmp_path / "TRLabel.mat", grid=grid, variable="TRLabel"), grid), array
    )
    with pytest.raises(LabelError, match="labels in no CRS do not fit"):
        read_labels(tmp_path / "TRLabel.mat", grid=Grid(9, 10, grid.transform, grid.crs), variable="TRLabel")


def test_a_raster_with_several_bands_is_refused(make_raster, grid):
    with pytest.raises(LabelError, match="2 bands; labels need"):
        read_labels(make_raster("a.tif", np.ones((2, 8, 10), np.uint8)), grid=grid)


def test_a_missing_or_truncated_raster(make_raster, grid, tmp_path):
    with pytest.raises(RasterOpenError, match="no such file"):
        read_labels(tmp_path / "gone.tif", grid=grid)
    path = make_raster("a.tif", np.ones((8, 10), np.uint8))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RasterOpenError, match=r"a\.tif"):
        read_labels(path, grid=grid)


def test_empty_geometries_label_nothing(make_vector, grid):
    """As damaged files have them."""
    shapes = [centre(1, 2), Point(), Polygon(), pixel_box(4, 4, 1, 2)]
    labels = read_labels(make_vector(shapes, **{"class": [1, 1, 2, 2]}), grid=grid, field="class")
    assert list(zip(labels.rows.tolist(), labels.cols.tolist(), strict=True)) == [(1, 2), (4, 4), (4, 5)]


def test_polygons_label_the_pixels_whose_centres_they_contain(make_vector, grid):
    almost = shapely.buffer(pixel_box(5, 6, 2, 3), 4.9, join_style="mitre")  # reaches no further centre
    less = shapely.buffer(pixel_box(1, 1, 3, 2), -4.9, join_style="mitre")  # loses no centre
    labels = read_labels(make_vector([less, almost]), grid=grid)
    expected = np.zeros((8, 10), int)
    expected[1:4, 1:3], expected[5:7, 6:9] = 1, 2
    np.testing.assert_array_equal(value_map(labels, grid), expected)


def test_polygons_partly_outside_are_clipped(make_vector, grid):
    labels = read_labels(make_vector([pixel_box(-5, -5, 7, 8), pixel_box(6, 7, 100, 100)]), grid=grid)
    expected = np.zeros((8, 10), int)
    expected[:2, :3], expected[6:, 7:] = 1, 2
    np.testing.assert_array_equal(value_map(labels, grid), expected)


def test_points_label_their_pixel(make_vector, grid):
    points = [centre(0, 0), centre(7, 9), centre(3, 4), centre(8, 0), centre(0, -1)]
    labels = read_labels(make_vector(points, **{"class": [1, 2, 1, 2, 2]}), grid=grid)
    assert list(zip(labels.rows.tolist(), labels.cols.tolist(), labels.classes.tolist(), strict=True)) == [
        (0, 0, 0), (3, 4, 0), (7, 9, 1),
    ]  # fmt: skip
    assert len(set(labels.region)) == 3


def test_labels_in_another_crs(make_vector, tmp_path, grid):
    path = make_vector([pixel_box(1, 1, 3, 2), centre(6, 6)])
    frame = geopandas.read_file(path).to_crs(4326)
    frame.to_file(tmp_path / "degrees.geojson")
    labels = read_labels(tmp_path / "degrees.geojson", grid=grid)
    np.testing.assert_array_equal(value_map(labels, grid), value_map(read_labels(path, grid=grid), grid))


def test_a_pixel_that_two_classes_claim_is_left_out(make_vector, grid):
    shapes = [pixel_box(0, 0, 2, 4), pixel_box(0, 2, 2, 4), centre(5, 5), centre(5, 5), centre(6, 6), centre(6, 6)]
    labels = read_labels(make_vector(shapes, **{"class": [1, 2, 1, 1, 1, 2]}), grid=grid)
    expected = np.zeros((8, 10), int)
    expected[:2, :2], expected[:2, 4:6], expected[5, 5] = 1, 2, 1
    np.testing.assert_array_equal(value_map(labels, grid), expected)
    assert len(labels.rows) == 9


def test_parts_of_a_feature_are_regions_of_their_own(make_vector, grid):
    both = shapely.union(pixel_box(0, 0, 2, 2), pixel_box(5, 5, 2, 2))
    labels = read_labels(make_vector([both, pixel_box(0, 5, 1, 1)]), grid=grid)
    assert sorted(np.bincount(np.unique(labels.region, return_inverse=True)[1])) == [1, 4, 4]


def test_names_are_numbered_alphabetically(make_vector, grid):
    shapes = [pixel_box(row, 0, 1, 3) for row in range(4)]
    labels = read_labels(make_vector(shapes, kind=["wood", "Äcker", None, " wood "]), grid=grid, field="kind")
    assert labels.legend.names == ["wood", "Äcker"] and labels.legend.values == [1, 2]
    assert value_map(labels, grid)[:, 0].tolist() == [1, 2, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("values", [[3, 5], [3.0, 5.0], ["3", "5"], ["3", " 5.0 "]])
def test_numbers_stay_what_they_are(make_vector, grid, values):
    labels = read_labels(make_vector([centre(0, 0), centre(1, 1)], code=values), grid=grid, field="code")
    assert labels.legend.values == [3, 5]


def test_features_without_geometry_or_class_are_passed_over(make_vector, grid):
    shapes = [centre(0, 0), None, Polygon(), centre(3, 3)]
    labels = read_labels(make_vector(shapes, code=[1.0, 1.0, 2.0, np.nan]), grid=grid, field="code")
    assert list(zip(labels.rows, labels.cols, strict=True)) == [(0, 0)]


def test_zero_in_a_field_must_be_explained(make_vector, grid):
    path = make_vector([centre(0, 0), centre(1, 1), centre(2, 2)], code=[0, 1, 2])
    with pytest.raises(LabelError, match="field code holds 0"):
        read_labels(path, grid=grid, field="code")
    assert read_labels(path, grid=grid, field="code", ignore=(0, 2)).legend.values == [1]


def test_broken_numbers_are_refused(make_vector, grid):
    path = make_vector([centre(0, 0), centre(1, 1)], height=[1.5, 2.0])
    with pytest.raises(LabelError, match=r"field height holds 1\.5"):
        read_labels(path, grid=grid, field="height")


def test_colours_of_a_style_are_kept(make_vector, grid):
    path = make_vector([centre(0, 0), centre(1, 1)], kind=["wood", "sand"])
    path.with_suffix(".qml").write_text(
        '<qgis><renderer-v2 attr="kind" type="categorizedSymbol"><categories>'
        '<category value="wood" symbol="0" label="Forest"/></categories><symbols><symbol name="0">'
        '<layer><Option name="color" value="1,99,2,255"/></layer></symbol></symbols></renderer-v2></qgis>'
    )
    legend = read_labels(path, grid=grid).legend
    assert legend.names == ["sand", "wood"] and legend.classes[1].colour == (1, 99, 2)


def test_fields_and_layers_must_be_known(make_vector, grid, tmp_path):
    path = make_vector([centre(0, 0), centre(1, 1)], code=[1, 2], name_de=["a", "b"])
    with pytest.raises(LabelError, match=r"no field klass; it has: code, name_de"):
        read_labels(path, grid=grid, field="klass")
    with pytest.raises(LabelError, match=r"say which field .* it has: code, name_de"):
        read_labels(path, grid=grid)
    with pytest.raises(LabelError, match="no layer points; it has: labels"):
        read_labels(path, grid=grid, field="code", layer="points")
    make_vector([centre(0, 0)], layer="second")
    with pytest.raises(LabelError, match="several layers"):
        read_labels(path, grid=grid, field="code")
    assert read_labels(path, grid=grid, layer="second").legend.values == [1]


@pytest.mark.parametrize("kind", ["raster", "vector"])
def test_no_label_inside_the_grid(make_raster, make_vector, grid, kind):
    if kind == "raster":
        path = make_raster("a.tif", np.zeros((8, 10), np.uint8))
    else:
        path = make_vector([centre(100, 100), pixel_box(-9, -9, 2, 2)])
    with pytest.raises(LabelError, match="no label inside the reference grid"):
        read_labels(path, grid=grid)


def test_lines_are_no_labels(make_vector, grid):
    with pytest.raises(LabelError, match="lines cannot be labels"):
        read_labels(make_vector([shapely.LineString([centre(0, 0), centre(5, 5)])]), grid=grid)


def test_vectors_that_cannot_be_read(tmp_path, grid):
    with pytest.raises(LabelError, match=r"gone\.gpkg: no such file"):
        read_labels(tmp_path / "gone.gpkg", grid=grid, field="class")
    (tmp_path / "a.gpkg").write_text("nothing")
    with pytest.raises(LabelError, match="not a readable vector file"):
        read_labels(tmp_path / "a.gpkg", grid=grid, field="class")


def test_labels_without_a_crs(make_vector, grid):
    path = make_vector([centre(0, 0), centre(1, 1)], name="labels.shp", crs=None)
    with pytest.raises(LabelError, match="labels in no CRS do not fit a grid in EPSG:32633"):
        read_labels(path, grid=grid)
    bare = Grid(grid.height, grid.width, grid.transform)
    assert len(read_labels(path, grid=bare).rows) == 2


def test_a_turned_grid(make_vector):
    turned = Grid(20, 20, Affine(8, 6, 500_000, 6, -8, 5_800_000), UTM33)
    labels = read_labels(make_vector([box(500_050, 5_799_950, 500_150, 5_800_050), centre(0, 3)]), grid=turned)
    x = turned.transform.a * (labels.cols + 0.5) + turned.transform.b * (labels.rows + 0.5) + turned.transform.c
    y = turned.transform.d * (labels.cols + 0.5) + turned.transform.e * (labels.rows + 0.5) + turned.transform.f
    box_labels = labels.classes == 0
    assert box_labels.sum() == pytest.approx(100, abs=12)  # 100 x 100 m, pixels of 100 square metres
    assert (np.abs(x[box_labels] - 500_100) < 50).all() and (np.abs(y[box_labels] - 5_800_000) < 50).all()
