import errno
import json
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OutputError, ResumeError
from engine.mapping import store as store_module
from engine.mapping.store import BlockStore, Journal, sole_user, work_folder
from engine.raster.windows import Window, blocks
from engine.raster.writer import RasterLayout

LAYOUTS = {
    "classes": RasterLayout("uint16", 0, "mode", ("class",)),
    "probabilities": RasterLayout("uint8", 255, "average", ("a", "b", "c")),
}
SIDES = st.integers(1, 30)


def make_arrays(height, width):
    rng = np.random.default_rng(height * 100 + width)
    return {
        name: rng.integers(0, 250, (layout.bands, height, width)).astype(layout.dtype)
        for name, layout in LAYOUTS.items()
    }


def part(arrays, area, block):
    rows, cols = block.relative_to(area).slices
    return {name: array[:, rows, cols] for name, array in arrays.items()}


@mock.patch("os.fsync", new=lambda number: None)  # whether it reaches the disk is not the question here
@settings(max_examples=20, deadline=None)
@given(st.builds(Window, st.integers(0, 9), st.integers(0, 9), SIDES, SIDES), st.integers(1, 12), st.data())
def test_what_is_appended_in_blocks_comes_back_in_rows(tmp_path_factory, area, block_px, data):
    folder = tmp_path_factory.mktemp("work")
    arrays = make_arrays(area.height, area.width)
    windows = list(blocks(100, 100, block_px, area))
    stop = data.draw(st.integers(0, len(windows)))  # a job that is interrupted once
    store = BlockStore(folder, LAYOUTS, area, windows)
    for block in windows[:stop]:
        store.append(part(arrays, area, block))
    store._files["classes"].write(b"half a block")
    store.close()
    store = BlockStore(folder, LAYOUTS, area, windows, stop)
    for block in windows[stop:]:
        store.append(part(arrays, area, block))
    count = data.draw(st.integers(1, area.height))
    for name, array in arrays.items():
        for band in range(len(array)):
            strips = [
                store.read_rows(name, band, row, min(count, area.height - row)) for row in range(0, area.height, count)
            ]
            np.testing.assert_array_equal(np.concatenate(strips), array[band])
    store.close()


def test_raw_files_shorter_than_the_journal_are_refused(tmp_path):
    area = Window(0, 0, 8, 8)
    BlockStore(tmp_path, LAYOUTS, area, [area]).close()
    with pytest.raises(ResumeError, match="shorter than its journal says"):
        BlockStore(tmp_path, LAYOUTS, area, [area], finished=1)


def test_a_disk_that_fills_up_is_one_sentence(tmp_path):
    area = Window(0, 0, 8, 8)
    store = BlockStore(tmp_path, LAYOUTS, area, [area])

    class FullFile:
        name = str(tmp_path / "classes.raw")

        def seek(self, *where): ...

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    store._files["classes"] = FullFile()
    with pytest.raises(OutputError, match="no space left on the disk"):
        store.append(make_arrays(8, 8))


def test_journal_survives_a_round_trip(tmp_path):
    folder = work_folder(tmp_path / "map.tif")
    assert Journal.load(folder, {}) is None
    job = {"model": "abc", "area": (0, 0, 5, 5)}
    Journal(folder, job, 64, 3, {"pixels": 7}).save()
    journal = Journal.load(folder, job)
    assert (journal.block_px, journal.finished, journal.totals) == (64, 3, {"pixels": 7})


def test_journal_of_another_job_names_the_difference(tmp_path):
    Journal(tmp_path, {"model": "abc", "overlap": 1}, 64).save()
    with pytest.raises(ResumeError, match="differs in overlap, extent"):
        Journal.load(tmp_path, {"model": "abc", "overlap": 2, "extent": None} | {"extent": 1})


@pytest.mark.parametrize("text", ["", "{}", "[1]", json.dumps({"job": 1, "block_px": 2, "finished": 3, "totals": {}})])
def test_damaged_journal_is_one_sentence(tmp_path, text):
    (tmp_path / "journal.json").write_text(text)
    with pytest.raises(ResumeError, match="start again without --resume"):
        Journal.load(tmp_path, {})


def test_rows_ask_only_the_blocks_they_touch(tmp_path, monkeypatch):
    """A large map has tens of thousands of blocks, and is read back in thousands of strips."""
    area = Window(0, 0, 400, 40)
    windows = list(blocks(400, 40, 4))
    store = BlockStore(tmp_path, {"classes": LAYOUTS["classes"]}, area, windows)
    for block in windows:
        store.append({"classes": np.full((1, block.height, block.width), block.row, np.uint16)})
    asked = []
    intersect = Window.intersect
    monkeypatch.setattr(Window, "intersect", lambda self, other: asked.append(self) or intersect(self, other))
    assert (store.read_rows("classes", 0, 198, 3)[:, 0] == [196, 196, 200]).all()
    assert len(asked) == 20
    store.close()


def test_without_locks_no_lock_is_left(tmp_path, monkeypatch):
    """Windows has none, and does not let go of a file that is open."""
    monkeypatch.setattr(store_module, "fcntl", None)
    folder = tmp_path / "map.tif.work"
    with sole_user(folder):
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    with sole_user(folder):
        (folder / "classes.raw").write_bytes(b"unfinished")
    assert [path.name for path in folder.iterdir()] == ["classes.raw"]
