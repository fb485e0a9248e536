"""State from which a run goes on after any kill: safetensors and JSON, never pickle.

A checkpoint is complete or not there: tensors go to a file of their own, then `state.json`, which names that file, is
replaced in one step; older files are removed last. No random state is kept: batches and dropout follow from seed and
step alone.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.atomic import replacing, write_text
from engine.errors import OutputError, ResumeError

Tensors = dict[str, dict[str, Tensor]]  # group (network, average, best, optimiser) -> name -> tensor


class Checkpoints:
    """The checkpoint of one run."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        """Keep it in `folder`; `job` (JSON-able) says which job it belongs to."""
        self.folder, self.job = folder, job

    def save(self, step: int, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Replace the checkpoint by the state after `step` steps.

        Raises:
            OutputError: it cannot be written; the former one is still there.
        """
        file = self.folder / f"state-{step}.safetensors"
        flat = {
            f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group, named in tensors.items()
            for name, tensor in named.items()
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(file) as part:
                save_file(flat, part)
            facts = facts | {"step": step, "file": file.name, "job": self.job}
            write_text(self.folder / "state.json", json.dumps(facts))
        except (OSError, SafetensorError) as error:
            raise OutputError(f"{file}: checkpoint cannot be written ({error}); free space, then --resume") from error
        for old in (*self.folder.glob("state-*"), *self.folder.glob(".state-*")):
            if old != file:
                with contextlib.suppress(OSError):
                    old.unlink()

    def load(self, device: torch.device) -> tuple[Tensors, dict[str, Any]] | None:
        """Tensors and facts of the checkpoint, None where there is none yet.

        Raises:
            ResumeError: it belongs to another job, or is damaged.
        """
        facts = self.facts()
        if facts is None:
            return None
        try:
            tensors: Tensors = {}
            for key, tensor in load_file(self.folder / facts["file"], device=str(device)).items():
                group, _, name = key.partition("/")
                tensors.setdefault(group, {})[name] = tensor
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise self._damaged(error) from error
        return tensors, facts

    def facts(self) -> dict[str, Any] | None:
        """Facts of the checkpoint, None where there is none yet: whether a run may be resumed, before it is touched.

        Raises:
            ResumeError: it belongs to another job, or is damaged.
        """
        try:
            text = (self.folder / "state.json").read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error
        try:
            facts: dict[str, Any] = json.loads(text)
            job = facts["job"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        if job != self.job:
            change = difference(job, self.job)
            raise ResumeError(f"{self.folder}: the run was started with {change}; set it back, or start anew elsewhere")
        return facts

    def _damaged(self, error: Exception) -> ResumeError:
        return ResumeError(f"{self.folder}: damaged checkpoint ({error}); start anew with another --out")


def difference(there: Any, here: Any, where: str = "") -> str:
    """The first difference between two JSON-able values, in words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys(), key=str):
            if there.get(key) != here.get(key):
                return difference(there.get(key), here.get(key), f"{where}.{key}".lstrip("."))
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here, strict=True)):
            if one != other:
                return difference(one, other, f"{where}[{number}]")
    return f"{where} = {there!r}, now it is {here!r}"
