"""The paper's tables, on small files of the published structure."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.benchmarks.published import conditions, numbers, recipe, suite, tables
from engine.benchmarks.published.conditions import scores_under, three_sensors, two_sensors
from engine.benchmarks.published.layouts import job_text
from engine.config import load_config
from engine.training.prepare import resolve
from tests.benchmarks.test_layouts import COLS, ROWS, published_layout, write_published
from tests.benchmarks.test_simulator import SMALL as SMALL_SHAPE

# What makes a run small: backbone, window and steps; all else is the suite's own.
SMALL = (
    'model.backbone="compact"', "model.width=12", "model.heads=1", "model.depth=2", "model.window=4",
    "training.epochs=1", "model.stem_width=4",
)  # fmt: skip
OPTIONS = ("--seeds", "1", "--threads", "1", "--device", "cpu", *(part for key in SMALL for part in ("--set", key)))


def with_few(monkeypatch, compared, placed=(), ablated=()):
    """Some methods of each table alone."""
    for module in (recipe, tables):
        monkeypatch.setattr(module, "COMPARED", {name: recipe.COMPARED[name] for name in compared})
        monkeypatch.setattr(module, "PLACED", placed or recipe.PLACED)
        monkeypatch.setattr(module, "ABLATED", {name: recipe.ABLATED[name] for name in ablated or recipe.ABLATED})


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def section(page, title):
    """Rows of one table as cells."""
    text = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")][2:]


def of(runs, condition, method):
    """The one run of a method under a condition."""
    (run,) = (run for run in runs if (run["facts"]["condition"], run["method"]) == (condition, method))
    return run


def shown(run):
    """OA / kappa under the run's own condition, as tables have them."""
    scores = run["under"][run["facts"]["condition"]]
    return f"{100 * scores['oa']:.2f} / {100 * scores['kappa']:.2f}"


def reported(pair):
    return f"{pair[0]:.2f} / {pair[1]:.2f}"


@pytest.mark.parametrize("name", ["houston2013", "augsburg"])
def test_table_1_from_published_files(run_command, tmp_path, monkeypatch, name):
    """One command: a training under each of the nine conditions, tested under all; the paper's numbers beside ours."""
    write_published(tmp_path / "data", name)
    with_few(monkeypatch, ["MaMOL"])
    out = tmp_path / "out"
    code, _, err = run_command("benchmark", name, "--data", tmp_path / "data", "--out", out, *OPTIONS)
    assert code == 0, err
    runs = lines(out / f"{name}.jsonl")
    assert len(runs) == 9 and len({run["pixels"] for run in runs}) == 1
    assert all(len(run["under"]) == 10 and run["under"]["both 70 %"]["n"] == ROWS * COLS for run in runs)
    page = (out / f"{name}_paper.md").read_text()
    assert "flattered by construction" in page and "Table 4" not in page
    names = [condition.name for condition in recipe.conditions_of(name)]
    rows = section(page, "Table 1")
    assert [row[0] for row in rows[::2]] == names
    for condition, ours, theirs in zip(names, rows[::2], rows[1::2], strict=True):
        assert ours[1:] == ["ours", shown(of(runs, condition, "MaMOL"))]
        assert theirs[1:] == ["paper", reported(numbers.TABLE1[name][condition, "MaMOL"])]
    for row in section(page, "Figure 4"):
        assert row[1:] == [f"{100 * found['oa']:.1f}" for found in of(runs, row[0], "MaMOL")["under"].values()]
    assert (out / f"{name}_paper.html").read_text().count("data:image/png") == 1


def test_tables_1_4_and_5_from_published_files(run_command, tmp_path, monkeypatch):
    """All that the paper has of Trento: placements beside the rows with a ViLT backbone, and the ablation."""
    write_published(tmp_path / "data", "trento")
    methods, ablated = ("MoE_ada", "MaMOL"), ("linear", "without static", "MaMOL")
    with_few(monkeypatch, methods, placed=methods, ablated=ablated)
    out = tmp_path / "out"
    arguments = ("trento", "--data", tmp_path / "data", "--out", out, *OPTIONS)
    trained, train = [], suite.run_trial
    monkeypatch.setattr(suite, "run_trial", lambda *given: trained.append(given) or train(*given))
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(out / "trento.jsonl")
    assert len(runs) == 9 * 2 + 2 * 3 + 2 * 3  # MaMOL at its usual place is in Table 1 already
    assert of(runs, "both 70 %", "MaMOL, Last (6 x 2)")["test"] == of(runs, "both 70 %", "MaMOL")["test"]
    assert len(trained) == len(runs) - 1 == len({run["facts"]["job"] for run in runs})
    page = (out / "trento_paper.md").read_text()
    row = section(page, "Table 1")[11]
    assert row == ["", "paper", "94.50 / 93.40", "97.39 / 96.87"]
    places = section(page, "Table 4")
    assert [row[:2] for row in places] == [
        ["MoE_ada", "ours"], ["", "paper, ViLT"], ["MaMOL", "ours"], ["", "paper, CLIP"],
    ]  # fmt: skip
    assert places[1][2:] == ["95.50 / 94.60", "94.50 / 93.40", "94.67 / 93.60"]
    assert places[3][2:] == ["96.11 / 95.33", "97.39 / 96.87", "96.94 / 96.33"]
    for method, row in zip(methods, places[::2], strict=True):
        runs_of = [of(runs, "both 70 %", f"{method}, {place}") for place in recipe.PLACES]
        assert row[2:] == [shown(run) for run in runs_of]
        assert ['placement="head"' in run["facts"]["settings"] for run in runs_of] == [True, False, False]
    parts = section(page, "Table 5")
    assert [row[0] for row in parts[::2]] == list(ablated)
    assert [row[2:] for row in parts[1::2]] == [
        ["95.50", "93.56", "92.50"], ["97.56", "96.78", "95.06"], ["98.39", "97.39", "95.94"],
    ]  # fmt: skip
    for method, row in zip(ablated, parts[::2], strict=True):
        assert row[1:] == ["ours", *(shown(of(runs, f"both {rate} %", method)) for rate in (50, 70, 90))]
    assert len((out / "trento_paper.csv").read_text().splitlines()) == 1 + len(runs)
    assert (out / "trento_paper_scores.csv").exists()
    monkeypatch.setattr(suite, "run_trial", None)  # nothing is run again
    assert run_command("benchmark", *arguments)[0] == 0


def test_table_3_from_published_files(run_command, tmp_path, monkeypatch, stop_at):
    """Three sensors; a command that is stopped leaves tables of what is done, and does the rest when called again."""
    write_published(tmp_path / "data", "augsburg3")
    with_few(monkeypatch, ["MaMOL"])
    trained = stop_at(suite, 3)
    out = tmp_path / "out"
    arguments = ("augsburg3", "--data", tmp_path / "data", "--out", out, *OPTIONS)
    assert run_command("benchmark", *arguments)[0] == 3
    before = lines(out / "augsburg3.jsonl")
    rows = section((out / "augsburg3_paper.md").read_text(), "Table 3")
    assert [row[2] == "–" for row in rows[::2]] == [False, False, True, True] and len(before) == 2
    code, _, err = run_command("benchmark", *arguments)
    assert code == 0, err
    runs = lines(out / "augsburg3.jsonl")
    assert runs[:2] == before and len(runs) == len(trained) - 1 == 4
    assert len({run["case"] for run in runs}) == 4 and len({run["pixels"] for run in runs}) == 1
    rows = section((out / "augsburg3_paper.md").read_text(), "Table 3")
    for (condition, *ours), theirs in zip(rows[::2], rows[1::2], strict=True):
        assert ours == ["ours", shown(of(runs, condition, "MaMOL"))]
        assert theirs == ["", "paper", reported(numbers.TABLE3[condition, "MaMOL"])]


def test_the_official_split(run_command, tmp_path, monkeypatch):
    """Under the protocol `standard` nothing of the paper stands in the tables; no test pixel is a training pixel."""
    write_published(tmp_path / "data", "augsburg3")
    with_few(monkeypatch, ["MaMOL", "MaMOL + MM"])
    out = tmp_path / "out"
    code, _, err = run_command("benchmark", "augsburg3", "--data", tmp_path / "data", "--out", out, "--protocol",
                               "standard", *OPTIONS)  # fmt: skip
    assert code == 0, err
    page = (out / "augsburg3_standard.md").read_text()
    assert "| 100 / 75 / 50 | ours |" in page and "80.10" not in page and "hsi+sar+dsm" in page
    for run in lines(out / "augsburg3.jsonl"):
        assert run["under"]["complete"]["n"] == ROWS * COLS / 2 and run["validation"]


def test_a_simulated_scene_says_so(run_command, tmp_path, monkeypatch):
    """Without files: a scene of the same shape, and the paper's numbers are called those of the real one.

    Runs and page of one difficulty are not another's.
    """
    monkeypatch.setattr(suite, "SHAPES", {"augsburg3": replace(SMALL_SHAPE, rows=32, cols=40)})
    with_few(monkeypatch, ["MaMOL"])
    trained, train = [], suite.run_trial
    monkeypatch.setattr(suite, "run_trial", lambda *given: trained.append(given) or train(*given))
    out = tmp_path / "out"
    for difficulty, options in ((1, ()), (0, ("--difficulty", "0"))):
        code, _, err = run_command("benchmark", "augsburg3", "--out", out, *options, *OPTIONS)
        assert code == 0, err
        table = (out / f"augsburg3_paper_simulated_{difficulty}.md").read_text()
        assert f"a simulated scene of the shape of augsburg3, difficulty {difficulty}" in table
        assert "|  | paper, of the real scene | 83.29 / 80.50 |" in table and "\n4 runs" in table
    assert len(trained) == 8 and len({run["facts"]["job"] for run in lines(out / "augsburg3.jsonl")}) == 8


def test_the_recipe_is_the_papers(tmp_path):
    """What is not said by a condition or a method: backbone, read-out, optimiser, budget; nothing of ours beside it."""
    job = recipe.jobs("trento", ("1",))[0]
    path = tmp_path / "trento.toml"
    path.write_text(job_text("trento", "trento", tmp_path, published_layout("trento"), "paper"))
    config = resolve(load_config(path, (*recipe.RECIPE, *job.condition.settings(), *job.keys)))
    model, training = config.model, config.training
    assert (model.backbone, model.train_backbone, model.readout) == ("open_clip:ViT-B-16/openai", False, "centre")
    assert (model.window, model.token_px, model.core) == (14, 1, 1) and not model.pixels
    assert (training.epochs, training.batch_size, training.learning_rate) == (200, 128, 2e-3)
    assert (training.adapter_learning_rate, training.weight_decay, training.warmup) == (1, 2e-2, 0.1)
    ours = (
        training.teaching, training.label_smoothing, training.augment, training.noise, training.average,
        training.prior_correction, model.head_dropout, config.missing.cut_rate, config.mixing.enabled,
    )  # fmt: skip
    assert not any(ours)


def test_tables_4_and_5_need_each_training_once():
    """MaMOL at its usual place is in both tables, and in Table 1."""
    several = recipe.jobs("trento", ("1", "4", "5"))
    assert [job.method for job in several if job.condition.name == "both 70 %"].count("MaMOL") == 1
    assert len(several) == 9 * 9 + 12 + 3 * 3
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
    both = {c.name: c for c in two_sensors("hsi", "sar")}
    found = scores_under(list(both.values()), ["hsi", "sar"], predictions, 2, seed=0)
    assert found["other missing 90 %"]["oa"] == pytest.approx(0.9 + 0.05, abs=0.02)
    assert found["HS missing 90 %"]["oa"] == pytest.approx(0.05, abs=0.02)
    assert found["both 90 %"]["oa"] == pytest.approx(0.45 + 0.05, abs=0.02)
    assert both["both 50 %"].settings() == ("missing.rate=0.5", 'missing.patterns={ "hsi" = 1.0, "sar" = 1.0 }')


def test_pixels_that_lack_a_sensor_by_nature_are_left_out():
    predicted = np.stack([np.where(np.arange(100) < 40, 0, -1), np.zeros(100, int), np.full(100, -1)])
    predictions = {
        "patterns": np.array(["hsi+sar", "hsi", "sar"]), "predicted": predicted, "reference": np.zeros(100, int),
    }  # fmt: skip
    found = scores_under([conditions.COMPLETE], ["hsi", "sar"], predictions, 2, seed=0)
    assert found["complete"]["n"] == 40 and found["complete"]["oa"] == 1


def test_three_sensors_are_lost_independently():
    _, second, *_ = three_sensors("hsi", "sar", "dsm")
    assert second.rate == pytest.approx(62.5)
    assert second.patterns == pytest.approx({"hsi": 0.125, "hsi+sar": 0.375, "hsi+dsm": 0.125})
