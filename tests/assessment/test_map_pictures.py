"""Small versions of large rasters."""

import numpy as np

from engine.assessment.map_pictures import pictures, small_map, small_places


def test_every_kth_pixel_of_a_large_map(make_raster):
    classes = np.random.default_rng(0).choice([0, 2, 7], (1000, 300)).astype(np.uint8)
    indices, legend = small_map(make_raster("map.tif", classes, nodata=0))
    assert legend.values == [2, 7] and indices.shape == (334, 100)
    assert (indices == np.select([classes[::3, ::3] == 2, classes[::3, ::3] == 7], [0, 1], -1)).all()


def test_wrong_places_are_drawn_above_right_ones():
    places = np.array([[0, 1, 999], [0, 1, 298], [False, True, True]])
    picture, legend = small_places(places, (1000, 300))
    assert picture.shape == (334, 100) and legend.names == ["map right", "map wrong"]
    assert picture[0, 0] == 1 and picture[-1, -1] == 0 and picture[100, 50] == -1
    assert picture[2, 2] == 1 and picture[3, 3] == -1  # few points are drawn larger than a pixel


def test_pictures_say_which_file_they_are_of(make_raster):
    path = make_raster("map.tif", np.ones((4, 4), np.uint8), nodata=0)
    found = pictures({"map": path, "sensors used": None}, np.array([[1], [1], [True]]))
    assert list(found) == ["map: map.tif", "reference"] and found["reference"][0].shape == (4, 4)
