import json

import numpy as np
import pytest
import rasterio
import rasterio.warp
from rasterio.enums import ColorInterp

from engine.errors import (
    ConfigError,
    GridMismatchError,
    ModalityError,
    NodataError,
)
from engine.mapping import plan as plan_module
from engine.mapping.layers import open_stack
from engine.mapping.map import predict_map
from engine.raster.windows import Window
from tests.mapping.conftest import BANDS, Listener, everything, read
from tests.mapping.reference import slow_probabilities


@pytest.mark.parametrize("overlap", [1, 3])
def test_maps_equal_the_slow_reference(make_job, predictor, tmp_path, small_blocks, overlap):
    job = make_job(**everything(tmp_path), overlap=overlap)
    facts = predict_map(job, predictor=predictor)
    with open_stack(predictor.info, job.layers) as stack:
        expected, bits = slow_probabilities(stack, predictor, stack.grid.window, overlap)
    np.testing.assert_array_equal(read(job.sensors_used), bits)
    ranked = np.sort(expected, axis=0)
    clear = (ranked[-1] - ranked[-2] > 1e-3) & (bits > 0)
    assert clear.mean() > 0.7
    np.testing.assert_array_equal(read(job.out)[clear], (expected.argmax(axis=0) + 1)[clear])
    assert (read(job.out)[bits == 0] == 0).all()
    covered = bits > 0
    for band in (1, 2, 3):
        percent = read(job.probabilities, band)
        np.testing.assert_allclose(percent[covered], 100 * expected[band - 1][covered], atol=0.51)
        assert (percent[~covered] == 255).all()
    np.testing.assert_allclose(read(job.confidence)[covered], 100 * expected.max(axis=0)[covered], atol=0.51)
    assert (read(job.confidence)[~covered] == 255).all()
    assert facts["pixels"] == 37 * 53
    assert facts["mapped_pixels"] == covered.sum()
    assert facts["stages"].keys() == {"reading", "predicting", "writing", "assembling"}
    assert all(seconds > 0 for seconds in facts["stages"].values())
    assert {item["name"]: item["pixels"] for item in facts["patterns"]} == {
        "optical": (bits == 1).sum(),
        "height": (bits == 2).sum(),
        "optical+height": (bits == 3).sum(),
    }


@pytest.mark.parametrize("extent", [(5, 7, 21, 30), (0, 0, 37, 53), (36, 52, 37, 53), (12, 12, 20, 20)])
def test_extent_equals_the_crop(make_job, predictor, tmp_path, small_blocks, extent):
    top, left, bottom, right = extent
    whole = make_job(**everything(tmp_path))
    predict_map(whole, predictor=predictor)
    bounds = (500_000 + 10 * left, 5_800_000 - 10 * bottom, 500_000 + 10 * right, 5_800_000 - 10 * top)
    part = make_job("part.tif", **everything(tmp_path, "part_"), extent=bounds)
    try:
        predict_map(part, predictor=predictor)
    except NodataError:
        assert not read(whole.out)[top:bottom, left:right].any()
        return
    with rasterio.open(part.out) as file:
        assert file.bounds == bounds
    for one, other in zip(whole.rasters.values(), part.rasters.values(), strict=True):
        np.testing.assert_array_equal(read(one)[top:bottom, left:right], read(other))


def test_result_does_not_depend_on_blocks_batches_or_order_of_layers(make_job, predictor, tmp_path, monkeypatch):
    maps = []
    for index, (cores, batch, reverse) in enumerate([(64, None, False), (1, 1, True), (2, 5, False), (5, 64, True)]):
        monkeypatch.setattr(plan_module, "_CORES_PER_SIDE", cores)
        job = make_job(f"map{index}.tif", probabilities=tmp_path / f"p{index}.tif", batch_size=batch)
        if reverse:
            job = make_job(
                f"map{index}.tif",
                probabilities=tmp_path / f"p{index}.tif",
                layers=dict(reversed(job.layers.items())),
            )
        predict_map(job, predictor=predictor)
        maps.append((read(job.out), read(job.probabilities).astype(int)))
    for classes, percent in maps[1:]:
        assert (classes != maps[0][0]).mean() < 0.002
        assert np.abs(percent - maps[0][1]).max() <= 1  # rounding


def test_missing_layer_equals_layer_full_of_nodata(make_job, predictor, make_raster, two_layers):
    nothing = make_raster("nothing.tif", np.full((1, 37, 53), -9999.0, np.float32), nodata=-9999)
    one = make_job("one.tif", layers={"optical": two_layers["optical"]})
    other = make_job("other.tif", layers={"optical": two_layers["optical"], "height": nothing})
    predict_map(one, predictor=predictor)
    predict_map(other, predictor=predictor)
    np.testing.assert_array_equal(read(one.out), read(other.out))


def test_values_under_nodata_change_nothing(make_job, predictor, make_raster, two_layers):
    height = read(two_layers["height"])
    other = height.copy()
    other[height == -9999] = 1e6
    mask = make_raster("masked.tif", other[None])
    with rasterio.open(mask, "r+") as file:
        file.write_mask(height != -9999)
    predict_map(make_job("one.tif"), predictor=predictor)
    predict_map(make_job("other.tif", layers=two_layers | {"height": mask}), predictor=predictor)
    np.testing.assert_array_equal(read(make_job("one.tif").out), read(make_job("other.tif").out))


def test_area_of_interest(make_job, predictor, tmp_path):
    import geopandas
    import shapely

    x, y = 500_000, 5_800_000
    triangle = shapely.Polygon([(x + 43, y - 27), (x + 307, y - 21), (x + 48, y - 288)])
    geopandas.GeoSeries([triangle], crs="EPSG:32633").to_crs(4326).to_file(tmp_path / "aoi.gpkg")
    whole, part = make_job("whole.tif"), make_job("part.tif", aoi=tmp_path / "aoi.gpkg")
    predict_map(whole, predictor=predictor)
    predict_map(part, predictor=predictor)
    centres = np.meshgrid(x + 5 + 10 * np.arange(53), y - 5 - 10 * np.arange(37))
    expected = np.where(shapely.contains_xy(triangle, *centres), read(whole.out), 0)
    np.testing.assert_array_equal(read(part.out), expected[2:29, 4:31])
    assert read(part.out).any()


def test_files_carry_legend_names_and_provenance(make_job, predictor, tmp_path, two_layers):
    job = make_job(**everything(tmp_path), report=tmp_path / "report.json")
    predict_map(job, predictor=predictor)
    with rasterio.open(job.out) as file:
        assert file.profile["tiled"] and file.profile["compress"] == "deflate"
        assert (file.dtypes, file.nodata, file.colorinterp) == (("uint8",), 0, (ColorInterp.palette,))
        assert file.colormap(1)[1][:3] == predictor.info.legend.classes[0].colour
        tags = file.tags()
        assert json.loads(tags["MAMOL_LAYERS"]) == {name: path.name for name, path in two_layers.items()}
        assert json.loads(tags["MAMOL_MODALITIES"]) == ["optical", "height"]
        assert str(tmp_path) not in json.dumps(tags)
    with rasterio.open(job.probabilities) as file:
        assert file.descriptions == ("class 1", "class 2", "class 3")
    left = {path.name for path in tmp_path.iterdir()} - {"optical.tif", "height.tif", "model.safetensors"}
    assert left == {
        *("map.tif", "map.tif.aux.xml", "map.qml", "confidence.tif", "confidence.qml", "probabilities.tif"),
        *("sensors.tif", "sensors.tif.aux.xml", "sensors.qml", "report.json"),
    }
    report = json.loads(job.report.read_text())
    assert sum(item["pixels"] for item in report["classes"]) == report["mapped_pixels"]
    assert sum(item["area_ha"] for item in report["classes"]) == pytest.approx(report["mapped_pixels"] / 100)


def test_html_report_is_one_page_without_links(make_job, predictor, tmp_path):
    job = make_job(report=tmp_path / "report.html")
    predict_map(job, predictor=predictor)
    page = job.report.read_text()
    assert "http" not in page and "class 2" in page and "optical+height" in page


def test_what_to_expect_is_said_before(make_job, make_predictor):
    predictor = make_predictor(BANDS, trained_patterns=("optical+height", "optical"))
    listener = Listener()
    predict_map(make_job(), listener, predictor=predictor)
    assert "patterns in all 1,961 pixels" in listener.logs[0]
    assert "optical+height (overall accuracy 0.900)" in listener.logs[0]
    assert "without data" in listener.logs[0]
    assert len(listener.warnings) == 1 and "never trained on height" in listener.warnings[0]


def test_wrong_units_are_noticed(make_job, predictor, make_raster, two_layers):
    large = make_raster("large.tif", (10_000 * read(two_layers["height"]))[None], nodata=-99_990_000)
    listener = Listener()
    predict_map(make_job(layers=two_layers | {"height": large}), listener, predictor=predictor)
    assert any(text.startswith("height: ") and "10000" in text for text in listener.warnings)


def test_zeros_of_one_band_that_take_pixels_away_are_told(make_job, predictor, two_layers, make_raster):
    """nodata = 0 where water is 0 in one band: the cube is absent there, for a reason that only the file can tell."""
    values = np.ones((3, 37, 53), np.uint16)
    values[2, :20] = 0
    layers = {**two_layers, "optical": make_raster("water.tif", values, nodata=0)}
    listener = Listener()
    predict_map(make_job(layers=layers), predictor=predictor, progress=listener)
    assert any("optical: 54% of its pixels lack some bands only, most often band 3" in w for w in listener.warnings)


@pytest.mark.parametrize(
    ("trained", "warned"),
    [((30.0, 30.0), True), ((12.0, 12.0), False), ((1.0, 1.0), True), (None, False)],
)
def test_another_pixel_size_than_in_training_is_noticed(make_job, make_predictor, trained, warned):
    predictor = make_predictor(BANDS, grid={"resolution": trained, "crs": "EPSG:32718"})
    predict_map(make_job(), listener := Listener(), predictor=predictor)
    assert any("pixels of 10 are mapped" in text for text in listener.warnings) == warned


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"layers": {}}, ModalityError, "no layer given"),
        ({"reference": "sar"}, ModalityError, "--reference sar: not among"),
        ({"readout": "centre"}, ConfigError, "--readout centre: .* was trained with dense"),
        ({"overlap": 9}, ConfigError, "--overlap 9: expected 1 to 4"),
        ({"batch_size": 0}, ConfigError, "--batch-size 0: expected"),
        ({"extent": (0, 0, 1, 1)}, GridMismatchError, "outside the reference grid"),
    ],
)
def test_bad_arguments_are_one_sentence(make_job, predictor, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        predict_map(make_job(**changes), predictor=predictor)
    assert not (tmp_path / "map.tif").exists() and not (tmp_path / "map.tif.work").exists()


def test_unknown_layer_is_named(make_job, predictor, two_layers):
    with pytest.raises(ModalityError, match="layer radar: not a modality of the model; it knows optical, height"):
        predict_map(make_job(layers={"radar": two_layers["height"]}), predictor=predictor)


def test_layer_in_another_crs_and_resolution_agrees(make_job, predictor, make_raster, two_layers):
    x, y = np.meshgrid(np.arange(106), np.arange(74))
    smooth = (np.sin(x / 20) + np.cos(y / 15)).astype(np.float32)
    fine = make_raster("fine.tif", smooth, transform=rasterio.transform.from_origin(500_000, 5_800_000, 5, 5))
    aligned = smooth.reshape(37, 2, 53, 2).mean(axis=(1, 3))
    predict_map(make_job("one.tif", layers=two_layers | {"height": make_raster("a.tif", aligned)}), predictor=predictor)
    predict_map(make_job("other.tif", layers=two_layers | {"height": fine}), predictor=predictor)
    one, other = read(make_job("one.tif").out), read(make_job("other.tif").out)
    assert (one == other).mean() > 0.99


def test_empty_crs_everywhere_is_fine(make_job, predictor, make_raster):
    layers = {"optical": make_raster("plain.tif", np.ones((3, 20, 20), np.float32), crs=None)}
    facts = predict_map(make_job(layers=layers), predictor=predictor)
    assert facts["classes"][0]["area_ha"] is None


def test_window_larger_than_the_raster(make_job, make_predictor, make_raster):
    predictor = make_predictor(BANDS, window=32, core=20)
    layers = {"height": make_raster("tiny.tif", np.ones((1, 3, 2), np.float32))}
    job = make_job(layers=layers)
    predict_map(job, predictor=predictor)
    assert read(job.out).shape == (3, 2) and read(job.out).all()


def test_area_is_the_whole_grid_by_default(make_job, predictor):
    with open_stack(predictor.info, make_job().layers) as stack:
        plan = plan_module.make_plan(make_job(), predictor.info, stack)
        assert plan.area == Window(0, 0, 37, 53)
        assert plan.grid.same_as(stack.grid)
