"""Random starts that cost nothing where a network is only laid out.

A model file is checked against a network on torch's meta device, before anything is read. Drawing normal numbers there
makes torch import its compiler, a second of every start; there is nothing to draw.
"""

from __future__ import annotations

from torch import Tensor


def draw_normal(tensor: Tensor, std: float) -> Tensor:
    """Fill `tensor` with normal numbers of mean 0; leave one on the meta device as it is."""
    return tensor if tensor.is_meta else tensor.normal_(std=std)
