"""The paper's tables on small files of the published structure: names, variables, ranks and number types as there."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from engine.benchmarks.archive import write_archive
from engine.benchmarks.published import numbers, recipe, suite, tables
from engine.benchmarks.published.conditions import scores_under, three_sensors, two_sensors
from engine.benchmarks.published.layouts import find_layout, job_text
from engine.config import load_config
from engine.data.scene import open_scenes
from engine.errors import ConfigError
from tests.benchmarks.test_archive import some_archive
from tests.benchmarks.test_simulator import SMALL as SMALL_SHAPE

ROWS, COLS = 16, 30
# What makes a run small: backbone, window and steps; all else is the suite's own.
SMALL = (
    'model.backbone="compact"', "model.width=12", "model.heads=1", "model.depth=2", "model.window=4",
    "training.epochs=1", "training.batch_size=64", "model.stem_width=4",
)  # fmt: skip
SETS = [part for setting in SMALL for part in ("--set", setting)]


def write_published(folder, name, lab=False, classes=3):
    """Files of a data set, much smaller; every class has labels on both sides. Returns the label map."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    labels = (np.arange(COLS) // 2 % classes + 1)[None].repeat(ROWS, 0)
    mean = labels[..., None] * np.linspace(10, 90, 5)
    cube = rng.normal(mean, 20).clip(0, 65535)
    train, test = np.where(np.arange(ROWS)[:, None] < 8, labels, 0), np.where(np.arange(ROWS)[:, None] < 8, 0, labels)
    height = (labels + rng.normal(0, 0.3, labels.shape)).astype(np.float32)
    sar = rng.normal(labels[..., None], 1.0, (ROWS, COLS, 4))
    files = {
        "trento": {
            "Italy_hsi.mat": {"data": cube.astype(np.float64)},
            "Italy_lidar.mat": {"data": np.stack([height, 100 * height], axis=2).astype(np.float64)},
            "TRLabel.mat": {"TRLabel": train.astype(np.uint8)}, "TSLabel.mat": {"TSLabel": test.astype(np.uint8)},
        },
        "houston2013": {
            "HSI.mat": {"HSI": cube.astype(np.uint16)}, "LiDAR.mat": {"LiDAR": height},
            "TRLabel.mat": {"TRLabel": train.astype(np.uint8)}, "TSLabel.mat": {"TSLabel": test.astype(np.uint8)},
        },
        "augsburg3": {
            "data_HS_LR.mat": {"data_HS_LR": cube.astype(np.int16)},
            "data_SAR_HR.mat": {"data_SAR_HR": sar.astype(np.float32)}, "data_DSM.mat": {"data_DSM": height},
            "TrainImage.mat": {"TrainImage": train.astype(np.uint8)},
            "TestImage.mat": {"TestImage": test.astype(np.float32)},
        },
    }  # fmt: skip
    of_lab = {
        "HSI_data.mat": {"HSI_data": cube}, "LiDAR_data.mat": {"LiDAR_data": height},
        "All_Label.mat": {"All_Label": labels.astype(np.uint8)},
    }  # fmt: skip
    for file, variables in (of_lab if lab else files[name]).items():
        savemat(folder / file, variables)
    return labels


@pytest.mark.parametrize(
    ("name", "lab", "bands"),
    [
        ("trento", False, [5, 1]),
        ("trento", True, [5, 1]),
        ("houston2013", False, [5, 1]),
        ("augsburg3", False, [5, 4, 1]),
    ],
)
def test_published_files_become_jobs(tmp_path, name, lab, bands):
    """Every layout opens; the protocols split it as they say, with all labels or by the official files."""
    labels = write_published(tmp_path / "data", name, lab)
    for protocol in ("paper", "standard"):
        job = tmp_path / f"{protocol}.toml"
        job.write_text(job_text(name, tmp_path / "data", find_layout(name, tmp_path / "data"), protocol))
        config = load_config(job)
        assert config.split.kind == ("paper" if protocol == "paper" else "blocks" if lab else "files")
        (scene,), legend = open_scenes(config)
        assert [m.bands for m in scene.modalities] == bands and len(legend) == 3
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
        job.write_text(job_text(name, tmp_path / "data", layout, protocol))
        config = load_config(job)
        assert config.split.kind == kind
        (scene,), _ = open_scenes(config)
        assert [m.bands for m in scene.modalities] == [6, 1 if name == "trento" else 4]
        scene.stack.close()


def test_files_that_are_not_there(tmp_path):
    write_published(tmp_path / "data", "trento")
    (tmp_path / "data" / "Italy_lidar.mat").unlink()
    with pytest.raises(ConfigError, match=r"not all files of trento are there; expected .*Italy_hsi.mat, Italy_lidar"):
        find_layout("trento", tmp_path / "data")


def test_table_1_from_published_files(run_command, tmp_path, monkeypatch):
    """One command: trainings under the nine conditions, the paper's numbers beside ours; what is done stays done."""
    write_published(tmp_path / "data", "trento")
    few = {name: recipe.COMPARED[name] for name in ("DCP", "MaMOL")}
    monkeypatch.setattr(recipe, "COMPARED", few)
    monkeypatch.setattr(tables, "COMPARED", few)
    out = tmp_path / "out"
    arguments = ("trento", "--data", tmp_path / "data", "--out", out, "--tables", "1", "--seeds", "1", "--threads", "1",
                 "--device", "cpu", *SETS)  # fmt: skip
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = [json.loads(line) for line in (out / "trento.jsonl").read_text().splitlines()]
    assert len(runs) == 9 * 2 and len({run["pixels"] for run in runs}) == 1
    assert all(len(run["under"]) == 10 and run["under"]["both 70 %"]["n"] == ROWS * COLS for run in runs)
    table = (out / "trento_paper.md").read_text()
    assert "flattered by construction" in table
    assert "| both 70 % | ours |" in table and "|  | paper | 94.94 / 93.93 | 97.39 / 96.87 |" in table
    assert (out / "trento_paper.html").read_text().count("data:image/png") == 1
    monkeypatch.setattr(suite, "run_trial", None)  # nothing is run again
    assert run_command("benchmark", *arguments)[0] == 0


def test_table_3_and_the_official_split(run_command, tmp_path, monkeypatch):
    """Three sensors; under the protocol `standard` nothing of the paper stands in the tables."""
    write_published(tmp_path / "data", "augsburg3")
    few = {"MaMOL": (), "MaMOL + MM": recipe.COMPARED["MaMOL + MM"]}
    monkeypatch.setattr(recipe, "COMPARED", few)
    monkeypatch.setattr(tables, "COMPARED", few)
    out = tmp_path / "out"
    code, _, err = run_command("benchmark", "augsburg3", "--data", tmp_path / "data", "--out", out, "--seeds", "1",
                               "--protocol", "standard", "--threads", "1", "--device", "cpu", *SETS)  # fmt: skip
    assert code == 0, err
    table = (out / "augsburg3_standard.md").read_text()
    assert "| 100 / 75 / 50 | ours |" in table and "80.10" not in table and "hsi+sar+dsm" in table


def test_a_simulated_scene_says_so(run_command, tmp_path, monkeypatch):
    """Without files: a scene of the same shape, and the paper's numbers are called those of the real one."""
    monkeypatch.setattr(suite, "SHAPES", {"augsburg3": SMALL_SHAPE})
    monkeypatch.setattr(recipe, "COMPARED", {"MaMOL": ()})
    monkeypatch.setattr(tables, "COMPARED", {"MaMOL": ()})
    out = tmp_path / "out"
    code, _, err = run_command("benchmark", "augsburg3", "--out", out, "--seeds", "1", "--threads", "1",
                               "--device", "cpu", *SETS)  # fmt: skip
    assert code == 0, err
    table = (out / "augsburg3_paper_simulated.md").read_text()
    assert "a simulated scene of the shape of augsburg3" in table
    assert "|  | paper, of the real scene | 83.29 / 80.50 |" in table


def test_tables_4_and_5_need_each_training_once():
    """MaMOL at its usual place is in both tables, and in Table 1."""
    several = recipe.jobs("trento", ("1", "4", "5"))
    assert len({(job.condition.name, job.method) for job in several}) == len(several) == 9 * 9 + 12 + 3 * 3
    last = next(job for job in several if job.method == "MoE_ada, Last (2 x 5)")
    assert last.condition.name == "both 70 %" and "model.dynamic_experts=5" in last.keys
    assert [len(recipe.jobs(name, recipe.TABLES[name])) for name in ("houston2013", "augsburg3")] == [81, 36]


def test_tables_that_are_not_there(run_command, tmp_path):
    code, _, err = run_command("benchmark", "augsburg3", "--out", tmp_path, "--tables", "1")
    assert code == 2 and "--tables 1: augsburg3 has 3" in err


def test_what_the_paper_reports_fits_its_protocol():
    """Of balanced test sets kappa follows from OA; four cells of the paper do not fit, and none by a slip of ours."""
    wrong = []
    for name, classes in (("houston2013", 15), ("trento", 6), ("augsburg", 7)):
        assert len(numbers.TABLE1[name]) == 54
        for key, (oa, kappa) in numbers.TABLE1[name].items():
            if abs((oa - 100 / classes) / (1 - 1 / classes) - kappa) > 0.03:
                wrong.append((name, *key))
    assert wrong == [
        ("houston2013", "HS missing 70 %", "MoE_rep"), ("houston2013", "other missing 90 %", "MoE_rep"),
        ("houston2013", "both 90 %", "MoE_ada"), ("trento", "other missing 90 %", "DCP"),
    ]  # fmt: skip


def test_conditions_are_shares_of_the_test_pixels():
    """A pixel is judged by the answer for the sensors that its row of the table has."""
    reference = np.zeros(1000, int)
    # Right with the cube, wrong without it; with everything, right at the first half.
    predicted = np.stack([np.where(np.arange(1000) < 500, 0, 1), reference, reference + 1])
    predictions = {"patterns": np.array(["hsi+sar", "hsi", "sar"]), "predicted": predicted, "reference": reference}
    conditions = {c.name: c for c in two_sensors("hsi", "sar")}
    found = scores_under(list(conditions.values()), ["hsi", "sar"], predictions, 2, seed=0)
    assert found["other missing 90 %"]["oa"] == pytest.approx(0.9 + 0.05, abs=0.02)
    assert found["HS missing 90 %"]["oa"] == pytest.approx(0.05, abs=0.02)
    assert found["both 90 %"]["oa"] == pytest.approx(0.45 + 0.05, abs=0.02)
    assert conditions["both 50 %"].settings() == ("missing.rate=0.5", 'missing.patterns={ "hsi" = 1.0, "sar" = 1.0 }')


def test_three_sensors_are_lost_independently():
    _, second, *_ = three_sensors("hsi", "sar", "dsm")
    assert second.rate == pytest.approx(62.5)
    assert second.patterns == pytest.approx({"hsi": 0.125, "hsi+sar": 0.375, "hsi+dsm": 0.125})
