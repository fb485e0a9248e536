"""A file is the old one or the new one, and a killed writer's rest does not stay."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import atomic, disk
from engine.errors import OutputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    atomic.write_text(path, "old\r\n")
    with pytest.raises(RuntimeError), atomic.replacing(path) as part:
        part.write_text("half")
        assert path.read_bytes() == b"old\r\n"
        raise RuntimeError
    assert path.read_bytes() == b"old\r\n" and names(tmp_path) == ["a.json"]


def test_content_reaches_the_disk_before_the_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    )
    monkeypatch.setattr(os, "replace", lambda part, path: done.append("renamed"))
    with pytest.raises(FileNotFoundError), atomic.replacing(tmp_path / "a" / "a.txt"):
        pass
    atomic.write_text(tmp_path / "a.txt", "new")
    assert done == [str(tmp_path / ".a.part.txt"), "renamed", str(tmp_path)]


def test_what_a_killed_writer_left_is_taken_over(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from engine.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as part: part.write_text('half'); os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "a.txt"
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == -9
    assert names(tmp_path) == [".a.part.txt"]
    atomic.write_text(path, "whole")
    assert names(tmp_path) == ["a.txt"]


def test_nobody_else_gives_files_their_names():
    """One place renames, or some forget to wait for the disk. `text.replace(a, b)` has two arguments, a path's one."""
    engine = Path(atomic.__file__).parent
    for path in set(engine.rglob("*.py")) - {Path(atomic.__file__)}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                renames = node.func.attr == "replace" and len(node.args) == 1 and not node.keywords
                assert not renames and ast.unparse(node.func) not in ("os.replace", "os.rename"), (path, node.lineno)
                assert node.func.attr not in ("rename", "NamedTemporaryFile", "mkstemp"), (path, node.lineno)


def test_room_is_counted_by_disk(tmp_path):
    free = __import__("shutil").disk_usage(tmp_path).free
    disk.require(tmp_path, 1000, "some files")
    with pytest.raises(OutputError, match=r"some files need .* MB, .* MB are free"):
        disk.require(tmp_path, 2 * free, "some files")
    assert disk.shortage([(tmp_path, free // 3), (tmp_path, free // 3)]) is None
    assert "are free on this disk" in str(disk.shortage([(tmp_path, free), (tmp_path, free)]))
