"""From layers of QGIS to files, and what is no file."""

import tomllib
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMultiBandColorRenderer,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)

from qgis_plugin.algorithms.evaluate import EvaluateAlgorithm
from qgis_plugin.labels import check_labels, export_labels
from qgis_plugin.layers import LayerError, raster_of_file, raster_of_layer, raster_of_value
from qgis_plugin.training_config import config_text

pytestmark = pytest.mark.usefixtures("qgis_app")


def test_how_a_layer_is_drawn_plays_no_part(make_layer):
    layer = make_layer("Äcker und Wälder.tif", bands=5)
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), 3, 1, 2))
    layer.renderer().setOpacity(0.2)
    found = raster_of_layer(layer)
    assert found.path == Path(layer.source()) and found.bands == 5
    assert found.pixels == 400 and found.resolution == 10
    assert found.crs.authid() == "EPSG:32633" and found.warnings == []
    same = raster_of_file(found.path)
    assert (same.bands, same.pixels, same.crs, same.extent) == (found.bands, found.pixels, found.crs, found.extent)


def test_looking_at_a_file_writes_nothing_beside_it(make_layer, tmp_path):
    path = Path(make_layer("a.tif").source())
    before = set(tmp_path.iterdir())
    for value in (str(path), str(tmp_path / "nothing.tif")):
        raster_of_value(value, lambda: None)
    assert set(tmp_path.iterdir()) == before


def test_what_the_file_does_not_know_is_pointed_out(make_layer):
    layer = make_layer("a.tif")
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(0, 0)])
    layer.setCrs(QgsCoordinateReferenceSystem.fromEpsgId(25833))
    crs, nodata = raster_of_layer(layer).warnings
    assert "EPSG:25833" in crs and "EPSG:32633" in crs and "no-data" in nodata
    bare = make_layer("bare.tif", epsg=0)
    bare.setCrs(QgsCoordinateReferenceSystem.fromEpsgId(25833))
    with pytest.raises(LayerError, match="has none"):
        raster_of_layer(bare)


def test_alpha_is_counted(tmp_path, make_layer):
    path = tmp_path / "rgba.tif"
    file = gdal.GetDriverByName("GTiff").Create(str(path), 4, 4, 4, options=["ALPHA=YES", "PHOTOMETRIC=RGB"])
    del file
    assert (raster_of_file(path).bands, raster_of_file(path).alpha_bands) == (4, 1)


def test_layers_without_a_file_are_refused(tmp_path, make_layer):
    source = "type=xyz&url=file:///nowhere/{z}/{x}/{y}.png&zmax=1&zmin=0"
    with pytest.raises(LayerError, match=r'"tiles" comes from WMS, not from a file'):
        raster_of_layer(QgsRasterLayer(source, "tiles", "wms"))
    gdal.GetDriverByName("GTiff").Create("/vsimem/a.tif", 4, 4)
    with pytest.raises(LayerError, match="lies in memory"):
        raster_of_layer(QgsRasterLayer("/vsimem/a.tif", "memory"))
    gdal.Unlink("/vsimem/a.tif")
    table = str(tmp_path / "a.gpkg")
    image = gdal.Open(make_layer("image.tif").source())
    gdal.GetDriverByName("GPKG").CreateCopy(table, image, options=["RASTER_TABLE=t"])
    part = QgsRasterLayer(f"GPKG:{table}:t", "part")
    assert part.isValid()
    with pytest.raises(LayerError, match="no raster file of its own"):
        raster_of_layer(part)
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(LayerError, match="not a raster"):
        raster_of_file(tmp_path / "text.tif")


@pytest.fixture
def fields():
    """A layer in memory, as an analyst digitises it: edits not saved, a filter set, classes named and coloured."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=Nutzung:integer&field=note:string", "Flächen", "memory")
    layer.startEditing()
    for value in (1, 2, 2):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([value, "x"])
        feature.setGeometry(QgsGeometry.fromWkt("POLYGON((15 52,15.1 52,15.1 52.1,15 52))"))
        layer.addFeature(feature)
    categories = [QgsRendererCategory(1, QgsFillSymbol.createSimple({"color": "1,2,3"}), "Wald")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("Nutzung", categories))
    return layer


def test_labels_come_as_a_copy_with_their_legend(fields, tmp_path):
    algorithm, context = EvaluateAlgorithm(), QgsProcessingContext()
    algorithm.initAlgorithm()
    parameters = {"REFERENCE": fields, "FIELD": "Nutzung"}
    labels = export_labels(algorithm, parameters, "REFERENCE", "FIELD", context, tmp_path / "a b")
    assert labels.field == "Nutzung"
    copy = QgsVectorLayer(str(labels.path), "copy")
    assert copy.featureCount() == 3 and [field.name() for field in copy.fields()] == ["fid", "Nutzung"]
    style = labels.path.with_suffix(".qml").read_text(encoding="utf-8")
    assert "Wald" in style and "1,2,3" in style


def test_labels_that_cannot_be_used_are_told(fields, make_layer):
    algorithm, context = EvaluateAlgorithm(), QgsProcessingContext()
    algorithm.initAlgorithm()

    def check(layer, field=""):
        return check_labels(algorithm, {"REFERENCE": layer, "FIELD": field}, "REFERENCE", "FIELD", context)

    for layer, field, words in (
        (fields, "", "Say which field"),
        (fields, "class", r'no field "class"; it has: Nutzung, note'),
        (QgsVectorLayer("None?field=a:integer", "table", "memory"), "a", "holds no places"),
        (make_layer("two.tif", bands=2), "", "has 2 bands"),
        ("/nowhere/labels.gpkg", "", "/nowhere/labels.gpkg"),
    ):
        with pytest.raises(LayerError, match=words):
            check(layer, field)
    raster = make_layer("one.tif")
    assert check(raster).path == check(raster.source()).path == Path(raster.source())


def test_sources_longer_than_names_of_files(fields, tmp_path, monkeypatch):
    """A table in memory is described by its source, a filter is part of it."""
    algorithm, context = EvaluateAlgorithm(), QgsProcessingContext()
    algorithm.initAlgorithm()
    monkeypatch.chdir(tmp_path)

    def export(source, folder, field):
        parameters = {"REFERENCE": source, "FIELD": field}
        return export_labels(algorithm, parameters, "REFERENCE", "FIELD", context, tmp_path / folder).path

    columns = "&".join(f"field=a_column_with_a_long_name_{number}:string(254)" for number in range(12))
    table = QgsVectorLayer(f"Point?crs=EPSG:4326&{columns}", "wide", "memory")
    Path("Point?crs=EPSG:4326&.qml").touch()  # belongs to nobody
    assert len(table.source()) > 255 and export(table, "a", "a_column_with_a_long_name_3").is_file()
    path = export(fields, "b", "Nutzung")
    path.with_suffix(".qml").write_text("<qgis>of the file</qgis>")
    fids = ",".join(map(str, range(2, 120)))
    for name, source in (("c", f'{path}|layername=labels|subset="fid" IN ({fids})'), ("d", f"{path}|layername=labels")):
        layer = QgsVectorLayer(source, name, "ogr")
        layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple({})))
        copy = export(layer, name, "Nutzung")
        assert QgsVectorLayer(str(copy), "copy").featureCount() == layer.featureCount()
        assert copy.with_suffix(".qml").read_text() == "<qgis>of the file</qgis>"
    assert raster_of_value(f'{path}|layername=labels|subset="fid" IN ({fids})', lambda: None) is None


def test_rasters_whose_source_is_longer_than_a_name():
    source = f"DERIVED_SUBDATASET:LOGAMPLITUDE:{'x' * 300}"
    with pytest.raises(LayerError, match="no raster file of its own"):
        raster_of_layer(QgsRasterLayer(source, "long", "gdal"))


def test_configurations_are_toml_whatever_the_names():
    nasty = Path('C:\\Äcker "und" \x7f\t/a.tif')
    text = config_text(
        {'a "b" é': ("sar", nasty)},
        nasty,
        "Klasse",
        "a",
        {"training": {"epochs": None, "seed": 3}, "split": {"x": None}},
    )
    scene = tomllib.loads(text)
    assert scene == {
        "scene": {
            "reference": "a",
            "labels": {"path": str(nasty), "field": "Klasse"},
            "modalities": {'a "b" é': {"role": "sar", "path": str(nasty)}},
        },
        "training": {"seed": 3},
    }
