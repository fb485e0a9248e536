"""Several processes that train one network: `torchrun --nproc-per-node N -m engine.train ...`.

Every process has the whole network and a share of each batch. All of them draw the windows, gaps and pixels of the
whole batch and then take every N-th; each loss is a sum over the own pixels, divided by what all processes count. So
the gradients of the processes add up to that of the whole batch, whichever sensors a process happens to see.

They are added up by hand, once for each optimiser step: DistributedDataParallel averages what each process has averaged
over its own pixels, wants the whole loss inside one module's `forward`, and sends gradients during each backward pass,
of which a step may have several. What it gains, sending while computing, is little for a few million weights.

torch is imported inside functions, so that one process may ask for its team before torch is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from engine.commandline import CANCELLED, USER_ERROR
from engine.device import communication
from engine.errors import Cancelled, EngineError, ProcessError
from engine.launch import launch

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Item = TypeVar("Item")

# The first process may read rasters for hours while the others wait; one that dies is noticed without any clock.
_PATIENCE = timedelta(days=7)
_APART = 0x9E3779B1  # between the seeds of two processes; odd and large: on CPUs torch looks at the last 32 bits alone


class Team:
    """One process among those that train together; alone, it does nothing of its own.

    Attributes:
        rank: number of this process, from 0.
        count: how many there are.
    """

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self._common: torch.Generator | None = None

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    @property
    def share(self) -> slice:
        """Which items of a whole batch are this process's."""
        return slice(self.rank, None, self.count)

    def mine(self, items: Iterable[Item]) -> Iterator[Item]:
        """This process's share of pieces of work."""
        return islice(items, self.rank, None, self.count)

    # Chance

    def seed(self, number: int) -> None:
        """Begin a step's chance: dropout and noise, each process its own; and `rand`, the same for all."""
        import torch

        torch.manual_seed((number + self.rank * _APART) % 2**63)
        if self.count > 1:
            self._common = torch.Generator().manual_seed(number)

    def rand(self, shape: Sequence[int]) -> Tensor:
        """Uniform numbers for the windows of all processes, `(B, ...)`; returned are those of this one's share."""
        import torch

        return torch.rand(*shape, generator=self._common)[self.share]

    # Sums

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum over all processes, without gradient."""
        if self.count == 1:
            return tensor.detach()
        total = tensor.detach().clone()
        self._add(total)
        return total

    def fill(self, *parts: np.ndarray | Tensor) -> None:
        """Put arrays together in place, of which each process has filled its own part and left the others 0."""
        if self.count == 1:
            return
        import torch

        for part in parts:
            if isinstance(part, np.ndarray):
                part = torch.from_numpy(part.view(np.uint8) if part.dtype == bool else part)
            self._add(part)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every parameter the gradient of the whole batch.

        A process whose windows do not touch a parameter adds zeros. One that no process touches keeps no gradient, as
        in a single process: the optimiser then leaves it alone instead of letting it decay.
        """
        if self.count == 1:
            return
        import torch

        trained = [parameter for parameter in parameters if parameter.requires_grad]
        touched = torch.tensor([float(parameter.grad is not None) for parameter in trained], device=trained[0].device)
        parts = [torch.zeros_like(one) if one.grad is None else one.grad for one in trained]
        total = torch.cat([touched, *(part.flatten() for part in parts)])
        self._add(total)
        touched, *gradients = torch.split(total, [len(trained), *(one.numel() for one in trained)])
        for parameter, by, gradient in zip(trained, touched.tolist(), gradients, strict=True):
            parameter.grad = gradient.view_as(parameter) if by else None

    def take_from_first(self, network: nn.Module) -> None:
        """Start from the very weights of the first process, whatever another machine makes of the same seed."""
        if self.count == 1:
            return
        import torch.distributed as dist

        with _noticing_loss():
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, 0)

    # Agreement

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.count == 1:
            return flag
        import torch

        return bool(self.sum(torch.tensor(int(flag))))

    def exchange(self, text: str) -> list[str]:
        """What each process says, by rank."""
        if self.count == 1:
            return [text]
        data = np.frombuffer(text.encode(), np.uint8)
        lengths = np.zeros(self.count, np.int64)
        lengths[self.rank] = len(data)
        self.fill(lengths)
        said = np.zeros((self.count, int(lengths.max())), np.uint8)
        said[self.rank, : len(data)] = data
        self.fill(said)
        return [row[:length].tobytes().decode() for row, length in zip(said, lengths, strict=True)]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Work after which all processes go on, or none does; inside, they must not talk to each other.

        Raises:
            Cancelled: in all, when one of them was asked to stop.
            EngineError: in the first, which tells what is wrong, also where another process has found it.
            SystemExit: in the others, then: everything is said.
        """
        if self.count == 1:
            yield
            return
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        kinds = {Cancelled: "cancelled", EngineError: "error", Exception: "bug"}
        kind = next((name for of, name in kinds.items() if isinstance(failure, of)), "")
        said = [json.loads(text) for text in self.exchange(json.dumps([kind, str(failure)]))]
        if kind == "bug" and failure is not None:
            raise failure
        stopped = [(rank, *what) for rank, what in enumerate(said) if what[0]]
        if not stopped:
            return
        rank, kind, message = min(stopped, key=lambda one: (one[1] != "cancelled", one[0]))
        if kind == "cancelled":
            raise Cancelled(message)
        if not self.first:
            raise SystemExit(USER_ERROR)
        raise failure or ProcessError(f"process {rank} of {self.count}: {message}")

    def _add(self, tensor: Tensor) -> None:
        """Sum over all processes, in place."""
        import torch.distributed as dist

        with _noticing_loss():
            dist.all_reduce(tensor)


ALONE = Team()


@contextmanager
def join_team() -> Iterator[Team]:
    """The processes that torchrun has started together with this one; alone without torchrun.

    Raises:
        SystemExit: instead of `Cancelled` and `ProcessError` in all but the first process, which tells of them.
    """
    here = launch()
    if here.count == 1:
        yield ALONE
        return
    import torch.distributed as dist

    dist.init_process_group(communication(), timeout=_PATIENCE)
    try:
        yield Team(here.rank, here.count)
    except Cancelled:
        if here.rank == 0:
            raise
        raise SystemExit(CANCELLED) from None
    except ProcessError:
        if here.rank == 0:
            raise
        raise SystemExit(USER_ERROR) from None
    dist.destroy_process_group()


@contextmanager
def _noticing_loss() -> Iterator[None]:
    """Turn what torch says when another process is gone into a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessError(
            "another process of this training has ended, and has said why if it could; --resume goes on from the last "
            "checkpoint"
        ) from error
