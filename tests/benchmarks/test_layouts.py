"""Published files and fetched scenes are found and read: names, variables, ranks and number types as there."""

import numpy as np
import pytest
from scipy.io import savemat

from engine.benchmarks.published import recipe
from engine.benchmarks.published.layouts import LAYOUTS, find_layout, job_text
from engine.benchmarks.scenes import archive
from engine.benchmarks.scenes.archive import write_archive
from engine.config import load_config
from engine.data.scene import open_scenes
from engine.errors import ConfigError
from tests.benchmarks.test_archive import some_archive
from tests.conftest import write_raster

ROWS, COLS = 10, 30
CLASSES = {"houston2013": 15, "trento": 6, "augsburg": 7, "augsburg3": 7}
BANDS = {"houston2013": 144, "trento": 63, "augsburg": 180, "augsburg3": 180}
USED = {"houston2013": [144, 1], "trento": [63, 1], "augsburg": [180, 4], "augsburg3": [180, 4, 1]}  # by the tables


def published_layout(name):
    """The files under their published names, with both sides of the official split."""
    return next(layout for layout in LAYOUTS[name] if ".mat" in layout.labels[0] and len(layout.labels) == 2)


def write_published(folder, name, layout=None):
    """Files of a data set with all its bands and classes, but few pixels. Returns all labels (H, W).

    Every class has labels on both sides: the upper half is for training, the lower for testing.
    """
    rng = np.random.default_rng(0)
    labels = (np.arange(COLS) // 2 % CLASSES[name] + 1)[None].repeat(ROWS, 0)
    upper = np.arange(ROWS)[:, None] < ROWS // 2
    train, test = np.where(upper, labels, 0), np.where(upper, 0, labels)
    spectra = rng.uniform(10, 900, (CLASSES[name], BANDS[name]))
    cube = rng.normal(spectra[labels - 1], 30).clip(0, 60_000)
    height = (labels + rng.normal(0, 0.3, labels.shape)).astype(np.float32)
    sar = rng.normal(labels[..., None], 1.0, (ROWS, COLS, 4)).astype(np.float32)
    two_returns = np.stack([height, 100 * height], axis=2)
    published = {
        "HSI.mat": {"HSI": cube.astype(np.uint16)}, "LiDAR.mat": {"LiDAR": height},
        "TRLabel.mat": {"TRLabel": train.astype(np.uint8)}, "TSLabel.mat": {"TSLabel": test.astype(np.uint8)},
        "Italy_hsi.mat": {"data": cube}, "Italy_lidar.mat": {"data": two_returns.astype(np.float64)},
        "allgrd.mat": {"mask_test": labels.astype(np.uint8)},
        "data_HS_LR.mat": {"data_HS_LR": cube.astype(np.int16)}, "data_SAR_HR.mat": {"data_SAR_HR": sar},
        "data_DSM.mat": {"data_DSM": height},
        "TrainImage.mat": {"TrainImage": train.astype(np.uint8)},
        "TestImage.mat": {"TestImage": test.astype(np.float32)},
        "HSI_data.mat": {"HSI_data": cube}, "LiDAR_data.mat": {"LiDAR_data": height},
        "SAR_data.mat": {"SAR_data": sar}, "All_Label.mat": {"All_Label": labels.astype(np.uint8)},
    }  # fmt: skip
    layout = layout or published_layout(name)
    fetched = {
        "hsi.tif": cube, "lidar.tif": two_returns if name == "trento" else height[..., None], "sar.tif": sar,
        "dsm.tif": height[..., None], "train.tif": (train if len(layout.labels) == 2 else labels)[..., None],
        "test.tif": test[..., None],
    }  # fmt: skip
    folder.mkdir(parents=True)
    for entry in (*layout.sensors.values(), *layout.labels):
        file = entry.partition(":")[0]
        if file.endswith(".mat"):
            savemat(folder / file, published[file])
        else:
            array = np.moveaxis(fetched[file], 2, 0)
            write_raster(folder / file, array.astype(np.uint8 if file in ("train.tif", "test.tif") else np.float32))
    for file in layout.last:
        (folder / file).write_text("[scene]\n")
    return labels


@pytest.mark.parametrize(("name", "number"), [(name, i) for name in LAYOUTS for i in range(len(LAYOUTS[name]))])
def test_every_layout_is_opened(tmp_path, name, number):
    """Bands, classes and labels; the protocols split it as they say, all labels or the official files."""
    folder, layout = tmp_path / "data", LAYOUTS[name][number]
    labels = write_published(folder, name, layout)
    assert find_layout(name, folder) is layout
    for protocol, kind in (("paper", "paper"), ("standard", "files" if len(layout.labels) == 2 else "blocks")):
        job = tmp_path / f"{protocol}.toml"
        job.write_text(job_text(name, name, folder, layout, protocol))
        config = load_config(job)
        assert config.split.kind == kind
        (scene,), legend = open_scenes(config)
        assert [m.name for m in scene.modalities] == list(recipe.SENSORS[name])
        assert [m.bands for m in scene.modalities] == USED[name] and len(legend) == CLASSES[name]
        assert np.array_equal(scene.classes + 1, labels[scene.rows, scene.cols]) and len(scene.rows) == labels.size
        scene.stack.close()


@pytest.mark.parametrize(
    ("name", "parts"), [("trento", {"maps": 1, "other": 2}), ("augsburg", {"maps": 3, "other": 4})]
)
def test_fetched_scenes_will_do(tmp_path, name, parts):
    """What `fetch` writes is found, with the one LiDAR band that the papers use, and split by both protocols."""
    write_archive(name, some_archive(**parts), tmp_path / "data")
    layout = find_layout(name, tmp_path / "data")
    for protocol, kind in (("paper", "paper"), ("standard", "blocks" if name == "trento" else "files")):
        job = tmp_path / f"{protocol}.toml"
        job.write_text(job_text(name, name, tmp_path / "data", layout, protocol))
        config = load_config(job)
        assert config.split.kind == kind
        (scene,), _ = open_scenes(config)
        assert [m.bands for m in scene.modalities] == [6, 1 if name == "trento" else 4]
        scene.stack.close()


def test_a_fetch_that_was_stopped_is_none(tmp_path, monkeypatch):
    """Half of the labels must not be taken for all: scene.toml, which is written last, says that all is there."""
    data = tmp_path / "data"
    write_archive("augsburg", some_archive(maps=3, other=4), data)
    assert find_layout("augsburg", data).labels == ("train.tif", "test.tif")

    def stopped(path, *rest):
        raise KeyboardInterrupt(path)

    monkeypatch.setattr(archive, "write_labels", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_archive("augsburg", some_archive(maps=3, other=4), data)
    with pytest.raises(ConfigError, match="not all files of augsburg are there"):
        find_layout("augsburg", data)


def test_files_that_are_not_there(tmp_path):
    write_published(tmp_path / "data", "trento")
    (tmp_path / "data" / "Italy_lidar.mat").unlink()
    with pytest.raises(ConfigError, match=r"not all files of trento are there; expected .*Italy_hsi.mat, Italy_lidar"):
        find_layout("trento", tmp_path / "data")
