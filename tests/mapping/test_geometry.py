import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mapping.geometry import Tiling
from engine.raster.windows import Window, tile_cores

SIDES = st.integers(1, 40)
AREAS = st.builds(Window, st.integers(0, 60), st.integers(0, 60), SIDES, SIDES)


@st.composite
def tilings(draw: st.DrawFn) -> Tiling:
    core = draw(st.integers(1, 12))
    window = core + draw(st.integers(0, 12))
    return Tiling(window, core, (window - core + 1) // 2, draw(st.integers(1, core)))


@given(tilings(), AREAS)
def test_cores_cover_the_area_and_not_one_more(tiling, area):
    for shift in tiling.shifts:
        cores = tiling.cores(area, shift)
        assert cores.contains(area)
        assert (cores.row - shift[0]) % tiling.core == (cores.col - shift[1]) % tiling.core == 0
        assert cores.height % tiling.core == cores.width % tiling.core == 0
        assert area.row - cores.row < tiling.core and cores.bottom - area.bottom < tiling.core
        assert area.col - cores.col < tiling.core and cores.right - area.right < tiling.core


@given(tilings(), AREAS)
def test_unshifted_cores_are_the_grid_s_tiles(tiling, area):
    cores = tiling.cores(area, (0, 0))
    tiles = list(tile_cores(200, 200, tiling.core, area))
    assert (tiles[0].row, tiles[0].col) == (cores.row, cores.col)
    assert (tiles[-1].bottom, tiles[-1].right) == (cores.bottom, cores.right)


@given(tilings(), AREAS)
def test_needed_pixels_are_those_of_all_windows(tiling, area):
    needed = tiling.needed(area)
    parts = [tiling.inputs(tiling.cores(area, shift)) for shift in tiling.shifts]
    assert all(needed.contains(part) for part in parts)
    assert {needed.row, needed.col} <= {part.row for part in parts} | {part.col for part in parts}


@given(tilings())
def test_every_shift_is_another_one(tiling):
    assert len(set(tiling.shifts)) == tiling.overlap**2
    assert (0, 0) in tiling.shifts


@given(tilings(), st.integers(1, 100_000), st.integers(1, 64))
def test_blocks_are_whole_cores_within_bounds(tiling, pixels, cores):
    side = tiling.block_px(pixels, cores)
    assert side % tiling.core == 0
    assert tiling.core <= side <= cores * tiling.core
    if side > tiling.core:
        assert tiling.needed(Window(0, 0, side, side)).height ** 2 <= pixels


@pytest.mark.parametrize("overlap", [0, 5])
def test_overlap_beyond_the_core_is_refused(overlap):
    with pytest.raises(ValueError, match=f"cannot overlap {overlap} times"):
        Tiling(8, 4, 2, overlap)
