"""Which pixels are drawn, and which are kept where there are too many."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.sampling import Sampler, thinned


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    limit=st.integers(30, 300),
    seed=st.integers(0, 99),
)
def test_thinned_keeps_the_mix_and_the_rare(counts, limit, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    kept = thinned(classes, limit, np.random.default_rng(seed))
    assert (np.diff(kept) > 0).all() and len(kept) == min(limit, len(classes))
    if len(classes) <= limit:
        assert len(kept) == len(classes)
        return
    left = np.bincount(classes[kept], minlength=len(counts))
    assert (left >= np.minimum(counts, int(0.25 * limit / len(counts)))).all()
    assert (left >= np.floor(0.75 * limit * np.array(counts) / len(classes))).all()


def test_an_epoch_has_every_pixel_once():
    sampler = Sampler(np.array([0, 0, 1, 2, 2, 2]), "none", 3)
    drawn = np.concatenate([sampler.draw(step, 4) for step in range(3)])
    assert sorted(drawn[:6]) == sorted(drawn[6:]) == list(range(6))
