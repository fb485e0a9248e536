"""Reading a model file's header, also of files that want to do harm."""

import json
import struct

import pytest

from qgis_plugin.modelfile import ModelFileError, read_model


def written(path, header: bytes, length=None, rest: bytes = b""):
    path.write_bytes(struct.pack("<Q", len(header) if length is None else length) + header + rest)
    return path


def test_what_a_model_says_is_read(make_model):
    model = read_model(make_model("m.safetensors", {"hsi": ("hyperspectral", 40), "dem": ("elevation", 1)}))
    assert model.names == ("hsi", "dem") and model.classes == ("water",) and model.core == 4
    assert model.accuracy == {"hsi+dem": 0.875, "hsi": None} and model.trained == {"hsi+dem"}
    assert [(m.role, m.bands, m.source_count) for m in model.modalities] == [
        ("hyperspectral", 40, 40), ("elevation", 1, 1)
    ]  # fmt: skip
    assert model.resolution is None and model.crs == ""
    assert model.combination({"dem": 1, "hsi": 2}) == "hsi+dem"


@pytest.mark.parametrize("crs", ["EPSG:25833", "IAU_2015:30100", 'LOCAL_CS["benchmark grid",UNIT["metre",1]]'])
def test_the_pixels_of_the_training_are_read(make_model, crs):
    grid = {"resolution": [5.0, 4.0], "crs": crs}
    model = read_model(make_model("m.safetensors", {"sar": ("sar", 1)}, grid=grid))
    assert (model.resolution, model.crs) == (5.0, crs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 99}, "format 99"),
        ({"modalities": []}, "damaged"),
        ({"modalities": [{"name": "a"}]}, "damaged"),
        ({"modalities": [{"name": f"m{i}", "role": "sar", "bands": 1} for i in range(33)]}, "damaged"),
        ({"patterns": 5}, "damaged"),
        ({"model": {}}, "damaged"),
        ({"grid": {"resolution": ["x"]}}, "damaged"),
        ({"grid": {"crs": "http://example.org/crs"}}, "damaged"),
    ],
)
def test_a_description_that_is_wrong_is_refused(make_model, change, words):
    with pytest.raises(ModelFileError, match=words):
        read_model(make_model("m.safetensors", {"sar": ("sar", 1)}, **change))


def test_files_that_are_no_models_are_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    tensor = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    cases = {
        "not a model": [
            (b"", 0), (b"{}", 2**40), (b"x" * 10, None), (b"[]", None), (deep, None), (b"{}", None),
            (b'{"w": {"data_offsets": "x"}}', None), (b'{"__metadata__": {"mamol": 3}}', None),
        ],
        "truncated": [(tensor, None)],
    }  # fmt: skip
    for words, headers in cases.items():
        for header, length in headers:
            with pytest.raises(ModelFileError, match=words):
                read_model(written(path, header, length))
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_model(tmp_path / "nothing")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_model(tmp_path)
