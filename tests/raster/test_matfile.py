import numpy as np
import pytest
import scipy.io

from engine.errors import RasterOpenError
from engine.raster.matfile import read_mat, split_variable
from engine.raster.sources import open_source
from engine.raster.windows import Window


@pytest.fixture
def cube():
    """5 x 6 pixels with 3 bands, as MATLAB shows it: (row, col, band)."""
    return np.random.default_rng(0).random((5, 6, 3))


def test_a_cube_becomes_bands_first(tmp_path, cube):
    scipy.io.savemat(tmp_path / "a.mat", {"HSI_data": cube, "note": "x", "scalar": 3})
    source = open_source(tmp_path / "a.mat")
    values, valid = source.read(Window(1, -1, 3, 4), [3, 1])
    assert (source.count, source.grid.crs) == (3, None)
    np.testing.assert_allclose(values[:, :, 1:], np.moveaxis(cube, 2, 0)[[2, 0], 1:4, :3], rtol=1e-6)
    assert valid[:, :, 1:].all() and not valid[:, :, 0].any()


def test_variables_are_named_in_two_ways(tmp_path, cube):
    scipy.io.savemat(tmp_path / "a.mat", {"one": cube[..., 0], "two": cube[..., 1]})
    for source in (open_source(f"{tmp_path}/a.mat:two"), open_source(tmp_path / "a.mat", "two")):
        np.testing.assert_allclose(source.read(source.grid.window, [1])[0][0], cube[..., 1], rtol=1e-6)


def test_a_cube_is_chosen_before_matrices(tmp_path, cube):
    scipy.io.savemat(tmp_path / "a.mat", {"cube": cube, "mask": cube[..., 0]})
    assert read_mat(tmp_path / "a.mat").shape == (3, 5, 6)


def test_a_choice_must_be_made_by_the_user(tmp_path, cube):
    scipy.io.savemat(tmp_path / "a.mat", {"one": cube, "two": cube})
    with pytest.raises(RasterOpenError, match=r"one of one, two.*a\.mat:NAME"):
        open_source(tmp_path / "a.mat")
    with pytest.raises(RasterOpenError, match="named three; it has: one, two"):
        open_source(tmp_path / "a.mat", "three")


def test_nan_in_a_cube_is_invalid(tmp_path, cube):
    cube[2, 3, 1] = np.nan
    scipy.io.savemat(tmp_path / "a.mat", {"cube": cube})
    source = open_source(tmp_path / "a.mat")
    assert np.argwhere(~source.read(source.grid.window, [1, 2, 3])[1]).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("content", [b"", b"no matlab file at all", None])
def test_broken_files_are_refused(tmp_path, cube, content):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"cube": cube})
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(RasterOpenError, match=r"not a readable \.mat file"):
        open_source(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RasterOpenError, match="no such file"):
        open_source(tmp_path / "a.mat:cube")


def test_version_7_3_is_read_or_explained(tmp_path, cube):
    path = tmp_path / "a.mat"
    try:
        import h5py
    except ImportError:
        path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n")
        with pytest.raises(RasterOpenError, match="needs the package h5py"):
            read_mat(path)
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        file["cube"] = cube.T
    np.testing.assert_array_equal(read_mat(path), np.moveaxis(cube, 2, 0))


def test_only_mat_paths_are_taken_apart():
    assert split_variable("C:/data/a.mat:x")[1] == "x"
    assert split_variable("C:/data/a.tif") == (split_variable("C:/data/a.tif")[0], None)
    assert split_variable("/data/a:b.tif")[1] is None
