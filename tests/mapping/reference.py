"""The same maps, slowly: one pixel at a time, no blocks, no batches, no threads."""

import numpy as np

from engine.modality import pattern_name
from engine.raster.windows import Window


def slow_probabilities(stack, predictor, area, overlap=1):
    """Class probabilities (Y, h, w) and pattern bits (h, w) of `area`."""
    info, network = predictor.info, predictor.network
    margin = 3 * info.window
    whole = Window(-margin, -margin, stack.grid.height + 2 * margin, stack.grid.width + 2 * margin)
    block = stack.read(whole)
    values, valid = [], []
    for modality in info.modalities:
        shape = (modality.bands, whole.height, whole.width)
        layer = block.values.get(modality.name, np.zeros(shape, np.float32))
        mask = block.valid.get(modality.name, np.zeros(shape[1:], bool))
        values.append(np.where(mask, (layer - 0.5) / 2.0, 0.0))
        valid.append(mask)
    result = np.zeros((len(info.legend), area.height, area.width))
    bits = np.zeros((area.height, area.width), int)
    steps = [index * info.core // overlap for index in range(overlap)]
    for row in range(area.row, area.bottom):
        for col in range(area.col, area.right):
            here = (row + margin, col + margin)
            present = [bool(mask[here]) for mask in valid]
            if not any(present):
                continue
            bits[row - area.row, col - area.col] = sum(1 << m for m, there in enumerate(present) if there)
            facts = info.patterns.get(pattern_name(info.names, present), {"temperature": 1, "bias": 0})
            for down in steps:
                for right in steps:
                    first_row = (row - down) // info.core * info.core + down - info.core_offset + margin
                    first_col = (col - right) // info.core * info.core + right - info.core_offset + margin
                    window = np.s_[first_row : first_row + info.window, first_col : first_col + info.window]
                    score = np.zeros(len(info.legend))
                    for m, there in enumerate(present):
                        if there:
                            mean = values[m][:, *window].sum(axis=(1, 2)) / valid[m][window].sum()
                            score += network.weights[m].numpy() @ (values[m][:, *here] + 0.5 * mean)
                    score = np.exp((score + facts["bias"]) / facts["temperature"])
                    result[:, row - area.row, col - area.col] += score / score.sum() / overlap**2
    return result, bits
