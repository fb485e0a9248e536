"""The second level of modality-mix learning: what is shown, and what is minimised."""

from typing import get_args

import numpy as np
import pytest
import torch

from engine.config import ModelConfig
from engine.data.mixed_windows import mixed_windows
from engine.data.mixing import Mix, draw_mixes
from engine.model.network import ADDED
from engine.training.mixing import mixed_loss
from engine.training.teacher import Teacher
from tests.training.small import CENTRE


def two_places(batches, rng, count):
    complete = np.ones((len(batches.classes), len(batches.caches[0].values)), bool)
    return draw_mixes(rng, batches.classes, complete, count)


def read_at(batches, pixels, rows, cols, side):
    return batches.caches[0].read(batches.rows[pixels] - rows, batches.cols[pixels] - cols, side)


@pytest.mark.parametrize("model", [None, CENTRE])
def test_every_sensor_is_from_exactly_one_place(make_ready, model):
    """Each modality of a mixed window is the host's or the donor's, values and validity; labels are those of both."""
    ready, _ = make_ready(model=model, training={"augment": False})
    batches = ready.batches
    mix = two_places(batches, np.random.default_rng(0), 30)
    windows = mixed_windows(batches, np.random.default_rng(1), mix, "modality")
    within = batches.core_offset + np.random.default_rng(1).integers(batches.core, size=(30, 2))
    sources = [read_at(batches, pixels, within[:, 0], within[:, 1], batches.window) for pixels in (mix.host, mix.donor)]
    for number in range(30):
        for modality in range(2):
            source = sources[int(mix.taken[number, modality])]
            assert (windows.values[modality][number] == source.values[modality][number]).all()
            assert (windows.valid[number, modality] == source.valid[number, modality]).all()
    assert len(windows.host) and (windows.host != windows.donor).all()
    window, row, col = windows.at
    for source, classes in zip(sources, (windows.host, windows.donor), strict=True):
        there = source.classes[window, batches.core_offset + row, batches.core_offset + col]
        assert (there == classes).all()
    anchors = {(n, *(within[n] - batches.core_offset)) for n in range(30)}
    complete = windows.valid[np.arange(30), :, within[:, 0], within[:, 1]].all(axis=1)
    found = set(map(tuple, windows.at.T.tolist()))
    assert all((n, *map(int, rest)) in found for n, *rest in anchors if complete[n])


def turns(array):
    """All flips and quarter turns of the last two axes."""
    for quarter in range(4):
        turned = np.rot90(array, quarter, axes=(-2, -1))
        yield from (turned, turned[..., ::-1])


def test_turned_windows_still_fit(make_ready):
    """Both places are flipped and turned alike, and so are the labels: beside windows turned by hand."""
    ready, _ = make_ready(hole=False)
    batches = ready.batches
    pixels = np.flatnonzero(batches.classes == 0)[:20]
    others = np.flatnonzero(batches.classes == 1)[:20]
    seen = mixed_windows(
        batches, np.random.default_rng(0), Mix(pixels, others, np.tile([True, False], (20, 1))), "modality"
    )
    inner = slice(batches.core_offset, batches.core_offset + batches.core)
    ways = set()
    for number in range(20):
        fitting = []
        for row, col in np.ndindex(batches.core, batches.core):
            at = np.array([row, col])[:, None] + batches.core_offset
            host, donor = (read_at(batches, side[[number]], *at, batches.window) for side in (pixels, others))
            parts = donor.values[0][0], host.values[1][0], host.classes[0], donor.classes[0]
            for way, (first, second, one, other) in enumerate(zip(*map(turns, parts), strict=True)):
                if (first == seen.values[0][number]).all() and (second == seen.values[1][number]).all():
                    fitting.append((way, one[inner, inner], other[inner, inner]))
        ((way, one, other),) = fitting
        ways.add(way)
        mine = seen.at[0] == number
        row, col = seen.at[1:, mine]
        assert mine.any() and (one[row, col] == seen.host[mine]).all() and (other[row, col] == seen.donor[mine]).all()
    assert len(ways) > 3


def test_controls_show_what_they_say(make_ready):
    """Mixups blend both places' values by each sensor's share; dropout takes sensors away, with the host's label."""
    ready, _ = make_ready(hole=False)
    batches = ready.batches
    mix = two_places(batches, np.random.default_rng(0), 12)
    nothing, shares = np.zeros_like(mix.taken), np.random.default_rng(2).random((12, 2))

    def windows(kind, host=mix.host, donor=mix.donor, taken=mix.taken):
        return mixed_windows(batches, np.random.default_rng(1), Mix(host, donor, taken), kind, shares)

    host, donor = (windows("dropout", host=pixels, taken=nothing) for pixels in (mix.host, mix.donor))
    mixed, blended, dropped = windows("modality"), windows("mixup"), windows("dropout")
    balanced = windows("balanced_mixup")
    for modality in range(2):
        one, other, gone = host.values[modality], donor.values[modality], mix.taken[:, modality, None, None]
        assert (mixed.values[modality] == np.where(gone[:, None], other, one)).all()
        for number, share in enumerate(shares[:, modality]):
            expected = share * one[number] + (1 - share) * other[number]
            assert np.allclose(blended.values[modality][number], expected, atol=1e-5)
        assert (balanced.values[modality] == blended.values[modality]).all()
        assert (dropped.valid[:, modality] == (host.valid[:, modality] & ~gone)).all()
    assert (blended.valid == (host.valid & donor.valid)).all() and (blended.host != blended.donor).all()
    assert (dropped.host == dropped.donor).all() and len(dropped.host) > len(mixed.host)


@pytest.mark.parametrize("kind", ["mixup", "balanced_mixup"])
def test_blended_pixels_by_hand(make_ready, kind):
    """Numbers and labels one after the other: what is blended by sensor is labelled by what each contributes."""
    ready, mixer = make_ready(mixing={"kind": kind}, sensors=3, hole=False, learnt=0)
    ready.network.eval()
    mixer.prepare(0)
    mixer.reliability = np.array([0.8, 0.4, 0.2])
    drawn, again = (mixer._draw(np.random.default_rng(5), 40) for _ in range(2))
    assert (drawn.blend == again.blend).all() and (drawn.shares == again.shares).all()
    logits, labels = mixer._pixels(ready.bank, np.random.default_rng(6), drawn)
    view = np.random.default_rng(6).integers(ready.bank.views, size=(2, 40)) * len(mixer.candidates)
    assert len(labels) == 40 and labels.sum(dim=1).numpy() == pytest.approx(1, abs=1e-6)
    for row, (host, donor) in enumerate(zip(drawn.mix.host, drawn.mix.donor, strict=True)):
        one, other = mixer.classes[host], mixer.classes[donor]
        assert one != other and not (set(range(3)) - {one, other}) & set(labels[row].nonzero()[:, 0].tolist())
        shares = drawn.blend[row].tolist()
        if kind == "mixup":
            assert shares[0] == shares[1] == shares[2] == pytest.approx(labels[row, one].item(), abs=1e-6)
        else:
            # l^k / (l^k + (1 - l)^k) as odds: those of a sensor twice as reliable are the root
            odds = [share / max(1 - share, 1e-300) for share in shares]
            if all(1e-6 < share < 1 - 1e-6 for share in shares):
                assert odds[0] ** 2 == pytest.approx(odds[1]) and odds[1] ** 2 == pytest.approx(odds[2])
            expected = (0.8 * shares[0] + 0.4 * shares[1] + 0.2 * shares[2]) / 1.4
            assert labels[row, one].item() == pytest.approx(expected, abs=1e-6)
        blended = [
            share * stored[host + view[0, row]] + (1 - share) * stored[donor + view[1, row]]
            for share, stored in zip(shares, ready.bank.numbers, strict=True)
        ]
        with torch.no_grad():
            said = ready.network.classify_numbers([part[None] for part in blended], torch.ones(1, 3, dtype=torch.bool))
        assert torch.allclose(said[0], logits[row], atol=1e-4)


@pytest.mark.parametrize("model", [{"pixels": False}, CENTRE])
def test_blended_windows_by_hand(make_ready, model):
    """The same in windows: what the network says of these values, and the label of their anchors."""
    ready, mixer = make_ready(model=model, mixing={"kind": "balanced_mixup"}, hole=False, learnt=0)
    ready.network.eval()
    mixer.training = mixer.training.model_copy(update={"noise": 0.0})
    mixer.prepare(0)
    mixer.reliability = np.array([0.6, 0.3])
    drawn = mixer._draw(np.random.default_rng(5), 30)
    assert ((drawn.blend[:, 0] > 0.5) == (drawn.blend[:, 1] > 0.5)).all()
    logits, labels = mixer._windows(np.random.default_rng(7), drawn)
    places = Mix(mixer.candidates[drawn.mix.host], mixer.candidates[drawn.mix.donor], drawn.mix.taken)
    windows = mixed_windows(ready.batches, np.random.default_rng(7), places, "balanced_mixup", drawn.blend)
    values, valid = [torch.from_numpy(array) for array in windows.values], torch.from_numpy(windows.valid)
    assert len(labels) == windows.at.shape[1] > 0
    for row, (window, down, right) in enumerate(windows.at.T.tolist()):
        at = tuple(torch.tensor([index]) for index in (0, down, right))
        with torch.no_grad():
            said = ready.network([array[window, None] for array in values], valid[window, None], at=at)
        assert torch.allclose(said[0], logits[row], atol=1e-4)
        share = (2 * drawn.blend[window, 0] + drawn.blend[window, 1]) / 3
        expected = np.zeros(3)
        expected[windows.host[row]] += share
        expected[windows.donor[row]] += 1 - share
        assert labels[row].numpy() == pytest.approx(expected, abs=1e-6)


def test_loss_by_hand():
    """- mean over samples of the labels' shares times log p, weights of sensors included."""
    logits = torch.randn(7, 4, dtype=torch.float64)
    labels = torch.rand(7, 4, dtype=torch.float64)
    total = 0.0
    for row in range(7):
        p = torch.exp(logits[row]) / torch.exp(logits[row]).sum()
        total -= sum(labels[row, number] * torch.log(p[number]) for number in range(4))
    assert mixed_loss(logits, labels).item() == pytest.approx(total.item() / 7, rel=1e-5)


@pytest.mark.parametrize("model", [{"pixels": False}, {}, CENTRE])
def test_strength_is_what_the_network_says(make_ready, model):
    """Chosen samples are complete and right; a sensor alone is what the network says with only that sensor."""
    ready, mixer = make_ready(model=model, mixing={"confidence": 0.4, "at_least": 1})
    message = mixer.prepare(0)
    assert message.startswith(f"mixing {len(mixer.chosen)} of ") and mixer.active
    assert mixer.available[mixer.chosen].all() and not mixer.available.all()
    assert mixer.prepare(1) is None and mixer.prepare(2) is not None
    if ready.bank is not None:
        for modality in range(2):
            kept = torch.zeros(len(mixer.candidates), 2, dtype=torch.bool)
            kept[:, modality] = torch.from_numpy(mixer.available[:, modality])
            numbers = [part[: len(kept)] for part in ready.bank.numbers]
            with torch.no_grad():
                p = mixer.teacher.network.classify_numbers(numbers, kept).softmax(dim=1)
            own = p[torch.arange(len(kept)), torch.from_numpy(mixer.classes)].numpy()
            assert np.allclose(mixer.confidence[:, modality], own * mixer.available[:, modality], atol=1e-5)
    assert mixer.reliability == pytest.approx(mixer.confidence.sum(axis=0) / mixer.available.sum(axis=0), rel=1e-5)


@pytest.mark.parametrize(
    ("model", "mixing"),
    [
        ({}, {}), ({"pixels": False}, {"kind": "mixup"}), (CENTRE, {"fill_incomplete": True, "label": "inverse"}),
        ({"fusion": "attention"}, {"kind": "balanced_mixup"}),
        (CENTRE | {"fusion": "gated"}, {"kind": "balanced_mixup"}),
        ({"method": "moe_rep", "pixels": False}, {"kind": "dropout"}), ({"method": "dcp"}, {"label": "uniform"}),
    ],
)  # fmt: skip
def test_mixed_loss_teaches(make_ready, model, mixing):
    """Mixed samples of any method and read-out give a loss that falls when it is followed; the same batch, the same."""
    ready, mixer = make_ready(model=model, mixing=mixing, sensors=3)
    mixer.prepare(0)
    ready.network.eval()  # no dropout: the loss is a function of the weights
    mixer.training = mixer.training.model_copy(update={"noise": 0.0})
    optimiser = torch.optim.Adam(ready.network.parameters(), lr=0.002)
    losses = []
    for _ in range(5):
        loss = mixer.loss(3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()


def test_no_pair_in_a_process_and_in_any(make_ready):
    """Without a fitting pair training goes on as usual; with fewer than processes, one has none but the same chance."""
    ready, mixer = make_ready(model={"pixels": False}, mixing={"fill_incomplete": True}, learnt=0)
    batches, one = ready.batches, two_places(ready.batches, np.random.default_rng(0), 1)
    left = []
    for share in (slice(0, None, 2), slice(1, None, 2)):
        batches.share, rng = share, np.random.default_rng(1)
        windows = mixed_windows(batches, rng, one, "modality")
        assert len(windows.valid) == len(windows.values[0]) == (share.start == 0)
        left.append(rng.random())
    assert windows.at.shape == (3, 0) and windows.values[0].shape[1:] == (3, 8, 8) and left[0] == left[1]
    batches.share = slice(None)
    mixer.chosen = np.arange(len(mixer.candidates))
    mixer.available[:] = [True, False]  # nobody has what all lack
    assert mixer.active and mixer.loss(3) is None


@pytest.mark.parametrize("method", get_args(ModelConfig.model_fields["method"].annotation))
def test_mixed_windows_teach_every_method(make_ready, method):
    """The loss is that of mixed windows by hand; its gradient reaches what the method adds, and a step lowers it."""
    ready, mixer = make_ready(model={"method": method, "pixels": False}, learnt=0)
    ready.network.eval()
    mixer.training = mixer.training.model_copy(update={"noise": 0.0})
    mixer.prepare(0)
    mixer.chosen = np.flatnonzero(mixer.available.all(axis=1))  # whatever an untrained network makes of them
    loss = mixer.loss(3)
    rng = np.random.default_rng([mixer.training.seed, 3, 11])
    drawn = mixer._draw(rng, mixer.training.batch_size)
    mix = Mix(mixer.candidates[drawn.mix.host], mixer.candidates[drawn.mix.donor], drawn.mix.taken)
    windows = mixed_windows(ready.batches, rng, mix, "modality")
    values, valid = [torch.from_numpy(array) for array in windows.values], torch.from_numpy(windows.valid)
    with torch.no_grad():
        logits = ready.network(values, valid).permute(0, 2, 3, 1)[tuple(torch.from_numpy(windows.at))]
    total = 0.0
    for row, window in enumerate(windows.at[0]):
        log_p = logits[row].log_softmax(dim=0)
        for modality in range(2):
            source = windows.donor[row] if drawn.mix.taken[window, modality] else windows.host[row]
            total -= drawn.shares[window, modality] * log_p[source].item()
    assert loss.item() == pytest.approx(total / len(logits), rel=1e-4)

    loss.backward()
    added = {name: w.grad for name, w in ready.network.named_parameters() if name.startswith(ADDED)}
    assert bool(added) == (method != "linear")
    assert not added or any(gradient is not None and gradient.any() for gradient in added.values())
    torch.optim.SGD(ready.network.parameters(), lr=0.01).step()
    assert mixer.loss(3).item() < loss.item()


def test_weight_of_the_mixed_loss(make_ready):
    """Usual loss + weight times that of mixed samples, or the latter alone; the usual loss where nothing is mixed."""
    ready, mixer = make_ready(learnt=2)
    ready.network.eval()
    usual = ready.loss(Teacher(ready.network, 0.9))
    usual = type(usual)(**vars(usual) | {"config": usual.config.model_copy(update={"noise": 0.0})})
    mixer.training = usual.config

    def loss(**keys):
        mixer.config = mixer.config.model_copy(update=keys)
        return type(usual)(**vars(usual) | {"mixer": mixer})(5, taught=False).item()

    expected = usual(5, taught=False).item()
    assert loss(weight=0.7, pure=False) == loss(pure=True) == expected
    mixer.prepare(0)
    mixed = mixer.loss(5).item()
    assert abs(mixed) > 0.01 and abs(mixed - expected) > 0.01
    assert loss(weight=0.7, pure=False) == pytest.approx(expected + 0.7 * mixed)
    assert loss(weight=0.0) == pytest.approx(expected)
    assert loss(weight=0.7, pure=True) == pytest.approx(mixed)


def test_what_a_fixed_table_takes_is_never_shown(make_ready):
    """Under protocol "paper" a sample lacks what its row of the table lacks, in choosing and in mixing."""
    ready, mixer = make_ready(missing={"protocol": "paper", "rate": 0.8}, mixing={"fill_incomplete": True}, hole=False)
    mixer.prepare(0)
    table = ready.batches.table[mixer.candidates]
    assert (mixer.available == table).all()
    drawn = mixer._draw(np.random.default_rng(0), 500)
    assert table[drawn.mix.host][~drawn.mix.taken].all() and table[drawn.mix.donor][drawn.mix.taken].all()
    assert not table[drawn.mix.host].all(axis=1).all()
    _, without = make_ready(missing={"protocol": "paper", "rate": 0.8}, hole=False)
    without.prepare(0)
    assert 0 < len(without.chosen) < len(mixer.chosen)
    assert ready.batches.table[without.candidates[without.chosen]].all()
