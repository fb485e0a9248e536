import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.raster.windows import Window, blocks, tile_cores

sizes = st.integers(1, 40)
windows = st.builds(Window, st.integers(-30, 50), st.integers(-30, 50), sizes, sizes)


def covered(height, width, tiles):
    """How often each pixel of a grid lies in one of the tiles."""
    count = np.zeros((height, width), int)
    for tile in tiles:
        inside = tile.intersect(Window(0, 0, height, width))
        count[inside.slices] += 1
    return count


@given(sizes, sizes, st.integers(1, 50))
def test_cores_cover_every_pixel_exactly_once(height, width, core_px):
    assert (covered(height, width, tile_cores(height, width, core_px)) == 1).all()


@given(sizes, sizes, st.integers(1, 20), windows)
def test_cores_within_a_part_are_those_of_the_whole_that_touch_it(height, width, core_px, within):
    whole = list(tile_cores(height, width, core_px))
    part = list(tile_cores(height, width, core_px, within))
    inside = within.intersect(Window(0, 0, height, width))
    assert part == [tile for tile in whole if inside and tile.intersect(inside)]


@given(sizes, sizes, st.integers(1, 20), windows)
def test_blocks_cover_the_part_exactly_and_nothing_else(height, width, block_px, within):
    expected = np.zeros((height, width), int)
    inside = within.intersect(Window(0, 0, height, width))
    if inside:
        expected[inside.slices] = 1
    np.testing.assert_array_equal(covered(height, width, blocks(height, width, block_px, within)), expected)
    for block in blocks(height, width, block_px, within):
        assert inside.contains(block)


@given(windows, st.integers(0, 10))
def test_padding_is_undone_by_the_opposite_padding(window, px):
    assert window.padded(px).contains(window)
    assert window.padded(px).padded(-px) == window


@given(windows, windows)
def test_intersection_is_symmetric_and_inside_both(one, other):
    common = one.intersect(other)
    assert common == other.intersect(one)
    if common:
        assert one.contains(common) and other.contains(common)


@given(windows.filter(lambda window: window.height * window.width > 1))
def test_halves_make_the_whole(window):
    count = np.zeros((window.height, window.width), int)
    for half in window.halves():
        count[half.relative_to(window).slices] += 1
    assert (count == 1).all()


@given(windows, windows)
def test_relative_window_addresses_the_same_pixels(inner, outer):
    relative = inner.relative_to(outer)
    assert relative.shift(outer.row, outer.col) == inner


def test_slices_refuse_to_wrap_around():
    with pytest.raises(ValueError, match="starts before"):
        _ = Window(-1, 0, 3, 3).slices


def test_a_window_has_pixels():
    with pytest.raises(ValueError, match="at least one pixel"):
        Window(0, 0, 0, 3)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        list(tile_cores(5, 5, 0))
