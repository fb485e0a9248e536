"""Rasters and labels of strangers: nothing is fetched, followed elsewhere or run."""

from __future__ import annotations

import http.server
import os
import threading
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely

from engine.errors import EngineError, LabelError, RasterOpenError
from engine.raster.label_vector import read_vector
from engine.raster.matfile import read_mat
from engine.raster.raster_file import RasterFile
from engine.raster.sources import open_source
from engine.raster.windows import Window
from engine.trust import keep_gdal_local, leads_elsewhere

BAND = '<VRTRasterBand dataType="Float32" band="1"{attributes}>{inside}</VRTRasterBand>'
SOURCE = (
    '<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>'
)


@pytest.fixture
def listener():
    """A web server: its address, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the library's name

        def log_message(self, *what): ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def write_vrt(tmp_path, make_raster):
    """Factory: a VRT with one band; `plain.tif` lies beside it."""
    make_raster("plain.tif", np.arange(12, dtype=np.float32).reshape(3, 4))

    def write(inside="", attributes="", name="virtual.vrt", extra="", root="") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        band = BAND.format(attributes=attributes, inside=inside)
        path.write_text(f'<VRTDataset rasterXSize="4" rasterYSize="3"{root}>{extra}{band}</VRTDataset>')
        return path

    return write


@pytest.mark.parametrize(
    "name",
    [
        "/vsicurl/http://x/a.tif", "/vsis3/b/a.tif", "/vsizip/a.zip/a.tif", "https://x/a.tif", "//host/share/a.tif",
        r"\\host\share\a.tif", "WMTS:http://x", "HDF5:a.h5:/b", "file:///etc/passwd", " s3://b/a",
    ],
)  # fmt: skip
def test_places_elsewhere_are_known_by_their_names(name):
    assert leads_elsewhere(name)


@pytest.mark.parametrize("name", ["a.tif", "../a.tif", "/data/a.tif", r"C:\data\a.tif", "C:/a.tif", "a b:c.tif"])
def test_files_of_this_machine_are_not(name):
    assert not leads_elsewhere(name)


def test_local_virtual_rasters_are_read(write_vrt, tmp_path):
    inner = write_vrt(SOURCE.format(name="plain.tif"), name="inner.vrt")
    outer = write_vrt(SOURCE.format(name=inner.name), name="outer.vrt")
    absolute = write_vrt(SOURCE.format(name=tmp_path / "plain.tif").replace('"1">', '"0">', 1), name="absolute.vrt")
    scaled = write_vrt(
        "<PixelFunctionType>sum</PixelFunctionType>" + SOURCE.format(name="plain.tif"),
        ' subClass="VRTDerivedRasterBand"', name="scaled.vrt",
    )  # fmt: skip
    open_source(scaled).close()
    for path in (inner, outer, absolute):
        assert open_source(path).read(Window(0, 0, 3, 4), [1])[0].sum() == 66


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        (SOURCE.format(name="/vsicurl/http://127.0.0.1:9/a.tif"), "MAMOL_NETWORK"),
        (SOURCE.format(name=r"\\host\share\a.tif"), "MAMOL_NETWORK"),
        (SOURCE.format(name="/vsis3/bucket/a.tif").replace("SourceFilename", "sourcefilename"), "MAMOL_NETWORK"),
        ('<SimpleSource SourceFilename="http://127.0.0.1:9/a.tif"/>', "MAMOL_NETWORK"),
        (SOURCE.format(name="NETCDF:a.nc:b"), "MAMOL_NETWORK"),
        (SOURCE.format(name="&lt;GDAL_WMS&gt;&lt;/GDAL_WMS&gt;"), "is not a raster|names|WMS"),
        (SOURCE.format(name="service.xml"), "description of a service"),
        (SOURCE.format(name="virtual.vrt"), "cannot be read"),
        (SOURCE.format(name="/dev/zero"), "no regular file"),
        ("<PixelFunctionLanguage>Python</PixelFunctionLanguage>", "Python"),
        ("<PixelFunctionCode>import os</PixelFunctionCode>", "Python"),
        ("<Overview><SourceFilename>/vsigs/b/o.tif</SourceFilename></Overview>", "MAMOL_NETWORK"),
        ('<MaskBand><VRTRasterBand subClass="Unheard"/></MaskBand>', "Unheard"),
    ],
)
def test_virtual_rasters_that_lead_elsewhere_are_refused(write_vrt, tmp_path, inside, words):
    (tmp_path / "service.xml").write_text("<GDAL_WMS></GDAL_WMS>")
    with pytest.raises(RasterOpenError, match=words) as caught:
        open_source(write_vrt(inside)).read(Window(0, 0, 3, 4), [1])
    assert "\n" not in str(caught.value)


def test_raw_bytes_of_other_folders_are_refused(write_vrt):
    raw = "<SourceFilename relativeToVRT='{}'>{}</SourceFilename><ImageOffset>0</ImageOffset>"
    for relative, name in ((0, "/etc/passwd"), (1, "../../../etc/passwd")):
        with pytest.raises(RasterOpenError, match="raw bytes"):
            open_source(write_vrt(raw.format(relative, name), ' subClass="VRTRawRasterBand"'))


def test_entities_and_towers_of_virtual_rasters_are_refused(write_vrt, tmp_path):
    bomb = tmp_path / "bomb.vrt"
    bomb.write_text('<!DOCTYPE a [<!ENTITY b "bb">]><VRTDataset rasterXSize="4" rasterYSize="3">&b;</VRTDataset>')
    with pytest.raises(RasterOpenError, match="entities"):
        open_source(bomb)
    for number in range(12):
        write_vrt(SOURCE.format(name=f"{number + 1}.vrt"), name=f"{number}.vrt")
    with pytest.raises(RasterOpenError, match="nested"):
        open_source(tmp_path / "0.vrt")


def test_who_asks_gets_network_sources(write_vrt, monkeypatch, listener):
    """The switch is the environment's, which no file can set."""
    url, asked = listener
    path = write_vrt(SOURCE.format(name=f"/vsicurl/{url}/a.tif"))
    with pytest.raises(RasterOpenError, match="MAMOL_NETWORK"):
        open_source(path)
    assert asked == []
    monkeypatch.setenv("MAMOL_NETWORK", "1")
    with pytest.raises(RasterOpenError, match="cannot be read"):
        open_source(path).read(Window(0, 0, 3, 4), [1])
    assert "/a.tif" in asked


@pytest.mark.parametrize(
    "content", ["<GDAL_WMS/>", '{"type": "STACIT"}', "<GDALTileIndexDataset/>", "\ufeff <WCS_GDAL/>"]
)
def test_services_in_the_guise_of_rasters_are_refused(tmp_path, content):
    path = tmp_path / "innocent.tif"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RasterOpenError, match="description of a service"):
        open_source(path)


@pytest.mark.parametrize("first", [60, 91, 123, 0x3C20, 0x7B22, 0x4B3C])
def test_bare_pixels_may_begin_with_any_byte(tmp_path, first):
    """ENVI's files have no mark of their own, so a first value may look like the beginning of XML or JSON."""
    path, values = tmp_path / "cube.bin", np.full((1, 3, 4), 9000, np.uint16)
    values[0, 0, 0] = first
    with rasterio.open(path, "w", driver="ENVI", width=4, height=3, count=1, dtype="uint16", crs=32633) as file:
        file.write(values)
    read, _ = open_source(path).read(Window(0, 0, 3, 4), [1])
    assert (read == values).all()


@pytest.mark.parametrize(
    "content", ["<!-- a --><GDAL_WMS/>", "<?xml version='1.0'?><GDAL_WMS/>", " \n[{}]", "<WMS_Tiles\n/>"]
)
def test_other_beginnings_of_text_are_known(tmp_path, content):
    path = tmp_path / "innocent.tif"
    path.write_bytes(content.encode() + bytes(100))  # numbers behind it change nothing
    with pytest.raises(RasterOpenError, match="description of a service"):
        open_source(path)


def test_a_mask_that_is_no_raster_is_refused(make_raster, tmp_path):
    path = make_raster("a.tif", np.ones((3, 4), np.uint8))
    (tmp_path / "a.tif.msk").write_text("<GDAL_WMS/>")
    with pytest.raises(RasterOpenError, match=r"a\.tif\.msk"):
        open_source(path)


def test_formats_that_are_not_needed_are_not_opened(tmp_path):
    frame = geopandas.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(0, 0)], crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    for name in (tmp_path / "a.gpkg", tmp_path, tmp_path / "none.tif", Path("/dev/zero")):
        with pytest.raises(RasterOpenError):
            open_source(name)


def test_huge_blocks_and_many_bands_are_refused_before_they_are_read(tmp_path):
    strip = tmp_path / "strip.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "sparse_ok": True}
    with rasterio.open(strip, "w", width=20_000, height=20_000, blockysize=20_000, compress="deflate", **profile):
        pass
    with pytest.raises(RasterOpenError, match="rewrite it tiled"):
        RasterFile(strip)
    many = tmp_path / "many.vrt"
    bands = "".join(f'<VRTRasterBand dataType="Byte" band="{band}"/>' for band in range(1, 10_002))
    many.write_text(f'<VRTDataset rasterXSize="1" rasterYSize="1">{bands}</VRTDataset>')
    with pytest.raises(RasterOpenError, match="10001 bands"):
        RasterFile(many)


def test_arrays_that_no_memory_holds_are_refused(tmp_path, monkeypatch):
    import scipy.io

    scipy.io.savemat(tmp_path / "a.mat", {"a": np.zeros((100, 100))}, do_compression=True)
    monkeypatch.setattr("engine.raster.matfile.memory_bytes", lambda: 100_000)
    with pytest.raises(RasterOpenError, match="memory"):
        read_mat(tmp_path / "a.mat")


class TestLabels:
    """Vector files."""

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.shp", "<OGRVRTDataSource><OGRVRTLayer name='a'/></OGRVRTDataSource>"),
            ("a.gpkg", "<OGRWFSDataSource/>"),
            ("a.json", '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read x"}'),
            ("a.gml", "<OGRVRTDataSource/>"),
            ("a.csv", "<OGRVRTDataSource/>"),
            ("a.vrt", "<OGRVRTDataSource/>"),
            ("a.geojson", ""),
        ],
    )
    def test_other_sources_in_their_guise_are_refused(self, tmp_path, name, content):
        (tmp_path / name).write_text(content)
        with pytest.raises(LabelError):
            read_vector(tmp_path / name)

    def test_nothing_is_fetched(self, tmp_path, listener, monkeypatch):
        """A CRS and a schema that are links; GDAL would follow both."""
        url, asked = listener
        for name in ("GDAL_HTTP_PROXY", "GDAL_HTTPS_PROXY", "CPL_VSIL_CURL_ALLOWED_FILENAME", "GML_DOWNLOAD_SCHEMA",
                     "OGR_SQLITE_PRAGMA"):  # fmt: skip
            monkeypatch.setenv(name, "")
        keep_gdal_local()
        assert os.environ["CPL_VSIL_CURL_ALLOWED_FILENAME"] == "none"
        link = f'{{"type": "link", "properties": {{"href": "{url}/crs", "type": "ogcwkt"}}}}'
        point = '{"type": "Feature", "properties": {"c": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}'
        (tmp_path / "a.geojson").write_text(f'{{"type": "FeatureCollection", "crs": {link}, "features": [{point}]}}')
        wfs = f"{url}/wfs?SERVICE=WFS&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=a:b"
        (tmp_path / "b.gml").write_text(
            '<?xml version="1.0"?><wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" '
            'xmlns:gml="http://www.opengis.net/gml" xmlns:a="http://a" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="http://a {wfs}"><gml:featureMember><a:b gml:id="b.1"><a:g><gml:Point>'
            "<gml:pos>1 2</gml:pos></gml:Point></a:g><a:c>1</a:c></a:b></gml:featureMember></wfs:FeatureCollection>"
        )
        for name in ("a.geojson", "b.gml"):
            try:
                assert len(read_vector(tmp_path / name)) == 1
            except EngineError as error:
                assert "\n" not in str(error)
        assert asked == []
