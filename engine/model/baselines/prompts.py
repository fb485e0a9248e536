"""What prompts are to a backbone: more tokens, or more keys and values, of some of its blocks."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor


class Sequences(NamedTuple):
    """What the rows of a batch of token sequences are.

    Attributes:
        window: number of the window of each sequence (N,).
        modality: number of its modality (N,).
        windows: how many windows there are, B.
        present_NTM: bool, each token's availability row.
        present_BM: bool, the class token's row of every window, also of those without any sequence.
    """

    window: Tensor
    modality: Tensor
    windows: int
    present_NTM: Tensor
    present_BM: Tensor


class Prompts(NamedTuple):
    """Prompts of the prompted blocks, in order.

    Attributes:
        blocks: `(N, P, D)` for each prompted block.
        use: "stay": tokens that stay in the sequence; "replace": tokens that take the place of the former block's;
            "attention": the first half are keys, the second their values.
    """

    blocks: list[Tensor]
    use: Literal["stay", "replace", "attention"]
