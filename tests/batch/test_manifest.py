"""The manifest: whole at any moment, harmless in a spreadsheet."""

import csv

import pytest

from engine.batch import manifest as manifest_module
from engine.batch.manifest import Manifest, Row
from engine.errors import ConfigError

FACTS = {
    "ticket": "00ff",
    "mapped_pixels": 12,
    "patterns": [{"name": "-a+b", "pixels": 10}, {"name": "b", "pixels": 2}],
}


def test_what_is_saved_is_loaded(tmp_path):
    manifest = Manifest(tmp_path / "manifest.csv")
    manifest.row("a").done(FACTS, 1.234)
    manifest.row("b").failed('=cmd|" /C calc"!A0, and\nmore, "so"', 0.5)
    manifest.row("c")
    manifest.save()
    assert Manifest.load(manifest.path).rows == manifest.rows
    assert manifest.rows["a"] == Row("a", "done", 1.23, 12, "-a+b=10;b=2", "", "00ff")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]


def test_no_cell_is_a_formula(tmp_path):
    manifest = Manifest(tmp_path / "manifest.csv")
    for index, start in enumerate("=+-@\t\r"):
        manifest.rows[str(index)] = Row(str(index), error=f"{start}1+1")
    manifest.row("a").done(FACTS, 1.0)
    manifest.save()
    with manifest.path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert Manifest.load(manifest.path).rows == manifest.rows


@pytest.mark.parametrize(
    "text",
    ["", "id,state\na,done\n", "id,state,seconds,pixels,patterns,error,ticket\na,done\n",
     "id,state,seconds,pixels,patterns,error,ticket\na,done,soon,1,,,\n", "\0", 'id,"'],
)  # fmt: skip
def test_something_else_is_not_overwritten(tmp_path, text):
    path = tmp_path / "manifest.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a manifest of this program"):
        Manifest.load(path)
    assert path.read_text() == text


def test_it_is_not_written_all_the_time(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(manifest_module, "replace_text", lambda path, text: written.append(text))
    manifest = Manifest(tmp_path / "manifest.csv")
    manifest.save()
    for _ in range(5):
        manifest.save(now=False)
    assert len(written) == 1
    manifest.save()
    assert len(written) == 2
