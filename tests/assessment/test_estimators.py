"""Published worked examples, a slow reference, and a Monte-Carlo check that intervals cover the truth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.assessment.confusion import Confusion
from engine.assessment.estimators import Strata, Tally, wald, wilson
from engine.assessment.figures import PER_CLASS, counted_figures, sampled_figures


def tally_of(strata, stratum, reference, mapped, classes, area=None, **changes):
    return replace(Tally.of(strata, stratum, reference * classes + mapped, classes**2, area), **changes)


def column(figures, name):
    return np.array([np.nan if facts[name] is None else facts[name] for facts in figures.classes])


# Olofsson et al. 2014, Good practices for estimating area and assessing accuracy of land change, Remote Sensing of
# Environment 148, 42-57, doi 10.1016/j.rse.2014.02.015. Table 8, p. 55: rows are map classes and strata, columns
# reference: deforestation, forest gain, stable forest, stable non-forest. Pixels of 30 m. Counts and mapped areas are
# also the example of olofsson() in the R package mapaccuracy (CRAN, version 0.1.2).
OLOFSSON = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000])


@pytest.fixture
def olofsson():
    mapped, reference = (np.repeat(index.ravel(), OLOFSSON.ravel()) for index in np.indices(OLOFSSON.shape))
    strata = Strata(("deforestation", "gain", "forest", "non-forest"), MAPPED, MAPPED * 900.0)
    return sampled_figures(tally_of(strata, mapped, reference, mapped, 4, finite=False), 4)


def test_olofsson_2014(olofsson):
    # Table 9, p. 55: estimated proportions of area, to 4 digits.
    table = [[0.0176, 0, 0.0013, 0.0011], [0, 0.0110, 0.0016, 0.0024]]
    table += [[0.0019, 0, 0.2967, 0.0213], [0.0040, 0.0020, 0.0179, 0.6212]]
    assert olofsson.shares.T == pytest.approx(np.array(table), abs=5e-5)

    def half_widths(name):
        return 1.959964 * column(olofsson, f"{name}_se")

    # P. 54, left: accuracies and half widths of their 95 % intervals, to 2 digits.
    assert np.round(column(olofsson, "users_accuracy"), 2) == pytest.approx([0.88, 0.73, 0.93, 0.96])
    assert np.round(half_widths("users_accuracy"), 2) == pytest.approx([0.07, 0.10, 0.04, 0.02])
    assert np.round(column(olofsson, "producers_accuracy"), 2) == pytest.approx([0.75, 0.85, 0.93, 0.96])
    # Printed are 0.21, 0.23, 0.03, 0.01; the paper's own eq. 7 gives 0.25 and 0.02 for the second and the last.
    assert np.round(half_widths("producers_accuracy"), 2) == pytest.approx([0.21, 0.25, 0.03, 0.02])
    assert round(olofsson.overall["oa"], 2) == 0.95 and round(1.959964 * olofsson.overall["oa_se"], 2) == 0.02

    # P. 54, right: hectares and half widths of their 95 % intervals. The paper rounds 1.96; one hectare of difference.
    hectares = MAPPED.sum() * 0.09
    assert column(olofsson, "area_share") * hectares == pytest.approx([21158, 11686, 285770, 581386], abs=0.6)
    assert half_widths("area_share") * hectares == pytest.approx([6158, 3756, 15510, 16282], abs=1)


# Stehman 2014, Estimating area and map accuracy for stratified random sampling when the strata are different from the
# map classes, International Journal of Remote Sensing 35, 4923-4939, doi 10.1080/01431161.2014.930207: 4 strata with 10
# pixels each. The sample is printed as example of stehman2014() in the R package mapaccuracy; seven digits of all
# results in the documentation of aa_stratified() in the R package mapac, without finite population correction.
STEHMAN_MAP = "AAAAAAABBB" + "ABBBBBBBBB" + "BBCCCCCCBB" + "DDDDDDDDDD"
STEHMAN_REFERENCE = "AAAAACBABC" + "ABBBBBAABB" + "CCCCCDDBBA" + "DDDDDDDCCB"


def stehman(finite):
    mapped, reference = (
        np.array(["ABCD".index(letter) for letter in text]) for text in (STEHMAN_MAP, STEHMAN_REFERENCE)
    )
    sizes = np.array([40_000, 30_000, 20_000, 10_000])
    strata = Strata(tuple("1234"), sizes, sizes.astype(float))
    return sampled_figures(tally_of(strata, np.repeat(np.arange(4), 10), reference, mapped, 4, finite=finite), 4)


def test_stehman_2014():
    found = stehman(finite=False)
    shares = [[0.23, 0.04, 0.04, 0], [0.12, 0.27, 0.08, 0], [0, 0.02, 0.06, 0.04], [0, 0.01, 0.02, 0.07]]
    assert found.shares.T == pytest.approx(np.array(shares), abs=1e-12)
    printed = {
        "users_accuracy": [0.7419355, 0.5744681, 0.5, 0.7],
        "users_accuracy_se": [0.1645627, 0.1248023, 0.2151657, 0.1527525],
        "producers_accuracy": [0.6571429, 0.7941176, 0.3, 0.6363636],
        "producers_accuracy_se": [0.1477318, 0.1165671, 0.1504438, 0.1623242],
        # Their standard errors of F1 (0.1103, ...) take both accuracies for independent, which they are not; see below.
        "f1": [0.6969697, 0.6666667, 0.375, 0.6666667],
        "area_share": [0.35, 0.34, 0.20, 0.11],
        "area_share_se": [0.08225975, 0.07586538, 0.06429101, 0.03073181],
    }
    for name, values in printed.items():
        assert column(found, name) == pytest.approx(values, abs=5e-8), name
    assert found.overall["oa"] == pytest.approx(0.63) and found.overall["oa_se"] == pytest.approx(0.08465617, abs=5e-9)


def test_stehman_2014_with_finite_population():
    """The paper's own formulas; the correction is 1 - 10 / 40,000 and the like, so three digits stay."""
    found, without = stehman(finite=True), stehman(finite=False)
    for name in ("users_accuracy_se", "producers_accuracy_se", "area_share_se"):
        assert np.round(column(found, name), 3) == pytest.approx(np.round(column(without, name), 3))
        assert (column(found, name) < column(without, name)).all()


def test_standard_errors_are_those_of_a_slow_reference():
    """Unequal areas, three strata, two domains: every figure by numerical differentiation, pixel by pixel."""
    rng = np.random.default_rng(3)
    n, classes, domains = 90, 3, 2
    stratum, domain = rng.integers(0, 3, n), rng.integers(0, domains, n)
    reference = rng.integers(0, classes, n)
    mapped = np.where(rng.random(n) < 0.7, reference, rng.integers(0, classes, n))
    area = rng.uniform(0.5, 2, n)
    strata = Strata(tuple("abc"), np.array([200, 300, 5000]), np.array([150.0, 500.0, 6000.0]))
    cell = (domain * classes + reference) * classes + mapped
    tally = Tally.of(strata, stratum, cell, domains * classes**2, area)

    def matrix(weight):
        """Shares of the first domain's matrix, where pixels count `weight` times in their stratum's mean."""
        shares = np.zeros((classes, classes))
        for h in range(3):
            here = stratum == h
            total = (weight * area)[here].sum()
            for u in np.flatnonzero(here & (domain == 0)):
                shares[reference[u], mapped[u]] += strata.area[h] / strata.area.sum() * weight[u] * area[u] / total
        return Confusion(np.rint(1e12 * shares / shares.sum()).astype(np.int64))

    figures = {
        "oa": lambda weight: matrix(weight).oa,
        "kappa": lambda weight: matrix(weight).kappa,
        "producers_accuracy": lambda weight: matrix(weight).per_class[1],
        "users_accuracy": lambda weight: matrix(weight).users[1],
        "f1": lambda weight: matrix(weight).f1[1],
        "iou": lambda weight: matrix(weight).iou[1],
        "area_share": lambda weight: matrix(weight).reference[1] / 1e12,
    }
    found = sampled_figures(tally, classes, np.array([True, False]))
    for name, figure in figures.items():
        step, ones = 1e-3, np.ones(n)
        slope = np.array([(figure(ones + step * (np.arange(n) == u)) - figure(ones)) / step for u in range(n)])
        variance = 0.0
        for h in range(3):
            here = slope[stratum == h]
            variance += (1 - len(here) / strata.pixels[h]) * len(here) * here.var(ddof=1)
        facts = found.overall if name in found.overall else found.classes[1]
        assert facts[name] == pytest.approx(figure(ones), abs=1e-9)
        assert facts[f"{name}_se"] == pytest.approx(np.sqrt(variance), rel=5e-3), name


def test_one_stratum_is_the_simple_random_sample():
    rng = np.random.default_rng(0)
    reference, mapped = rng.integers(0, 3, 400), rng.integers(0, 3, 400)
    size = np.array([10**9])
    found = sampled_figures(
        tally_of(Strata(("all",), size, size.astype(float)), 0 * reference, reference, mapped, 3), 3
    )
    plain = counted_figures(Confusion.of(reference, mapped, 3))
    for name in PER_CLASS:
        assert column(found, name) == pytest.approx(column(plain, name))
    assert found.overall["kappa"] == pytest.approx(plain.overall["kappa"])
    assert found.overall["aa"] == pytest.approx(plain.overall["aa"])
    assert found.overall["oa_se"] == pytest.approx(np.sqrt(found.overall["oa"] * (1 - found.overall["oa"]) / 399))


def test_kappa_may_be_below_zero_and_shares_may_not():
    """32 of 60 pixels are right, 30 would be by chance: kappa is near 0, and its interval reaches beyond."""
    reference = np.repeat([0, 1], 30)
    mapped = np.where(np.arange(60) % 30 < 16, reference, 1 - reference)
    strata = Strata(("all",), np.array([10_000]), np.array([10_000.0]))
    overall = sampled_figures(tally_of(strata, 0 * reference, reference, mapped, 2), 2).overall
    assert overall["kappa"] == pytest.approx(2 / 30) and overall["kappa_low"] < 0
    rare = np.array([1] + [0] * 59)
    found = sampled_figures(tally_of(strata, 0 * rare, rare, rare, 2), 2).classes[1]
    assert found["area_share_low"] == 0 < found["area_share_high"]


def test_a_census_has_no_error_and_a_single_pixel_no_standard_error():
    reference, mapped, stratum = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), np.array([0, 0, 0, 1])
    census = Strata(("a", "b"), np.array([3, 1]), np.array([3.0, 1.0]))
    assert sampled_figures(tally_of(census, stratum, reference, mapped, 2), 2).overall["oa_se"] == 0
    larger = Strata(("a", "b"), np.array([30, 10]), np.array([30.0, 10.0]))
    found = sampled_figures(tally_of(larger, stratum, reference, mapped, 2), 2)
    assert found.overall["oa"] == pytest.approx(0.75 * 2 / 3 + 0.25) and found.overall["oa_se"] is None
    only_second_class = np.array([[True] * 4, [False, True, False, True]])
    kept = tally_of(larger, stratum, reference, mapped, 2, possible=only_second_class)
    accuracies = column(sampled_figures(kept, 2), "users_accuracy_se")
    assert np.isfinite(accuracies[0]) and np.isnan(accuracies[1])


def test_wilson_is_scipys_for_simple_random_samples():
    for right, n in ((0, 12), (5, 12), (12, 12), (199, 200)):
        share = right / n
        error = np.sqrt(share * (1 - share) / (n - 1))
        interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
        assert wilson(share, error, n) == pytest.approx((interval.low, interval.high))
    assert np.isnan(wilson(float("nan"), 0.1, 5)).all() and np.isnan(wilson(0.5, float("nan"), 5)).all()
    assert wilson(0.7, 0.0, 50) == (0.7, 0.7)  # every pixel is known
    assert wald(0.99, 0.02) == pytest.approx((0.99 - 1.96 * 0.02, 1.0), abs=1e-5)


# A map of 120,000 pixels whose classes are mistaken for each other: rows are map classes, columns the truth.
POPULATION = np.array([[9_000, 700, 300], [1_500, 36_000, 2_500], [800, 4_200, 65_000]])


@pytest.mark.parametrize("design", ["simple random", "map classes", "other strata"])
def test_intervals_cover_the_truth(design):
    """5,000 samples under each design, at least 100 pixels per stratum: 95 % intervals hold it in 93 to 97 %."""
    rng = np.random.default_rng(11)
    if design == "simple random":
        strata_cells, sizes = POPULATION[None], [600]
    elif design == "map classes":
        strata_cells, sizes = np.stack([POPULATION * (np.arange(3)[:, None] == h) for h in range(3)]), [100, 150, 300]
    else:  # two regions that know nothing of the map
        first = POPULATION * np.array([[7], [2], [3]]) // 10
        strata_cells, sizes = np.stack([first, POPULATION - first]), [200, 300]
    strata_cells = strata_cells.transpose(0, 2, 1)  # reference by row
    population = strata_cells.sum(axis=(1, 2))
    strata = Strata(tuple(map(str, range(len(sizes)))), population, population.astype(float))
    truth = Confusion(POPULATION.T)
    draws = [
        rng.multivariate_hypergeometric(cells.ravel(), n, size=5000, method="marginals")
        for cells, n in zip(strata_cells, sizes, strict=True)
    ]
    covered = {name: np.zeros(3) for name in ("area_share", "users_accuracy", "producers_accuracy")}
    covered |= {f"{name}_wilson": np.zeros(3) for name in ("users_accuracy", "producers_accuracy")}
    overall = 0
    of_class = {
        "area_share": truth.reference / truth.n, "users_accuracy": truth.users, "producers_accuracy": truth.per_class
    }  # fmt: skip
    for sample in zip(*draws, strict=True):
        count = np.stack(sample).astype(float)
        found = sampled_figures(Tally(strata, count, count, count), 3)
        overall += found.overall["oa_low"] <= truth.oa <= found.overall["oa_high"]
        for name, hits in covered.items():
            true = of_class[name.removesuffix("_wilson")]
            for k, facts in enumerate(found.classes):
                if facts[f"{name}_low"] is not None:
                    hits[k] += facts[f"{name}_low"] <= true[k] <= facts[f"{name}_high"]
    print(design, overall / 5000, {name: hits / 5000 for name, hits in covered.items()})
    assert 0.93 <= overall / 5000 <= 0.97
    assert ((covered["area_share"] / 5000 >= 0.93) & (covered["area_share"] / 5000 <= 0.97)).all()
    for name in ("users_accuracy", "producers_accuracy"):  # shares near 1: Wald's fall short, Wilson's do not
        assert (covered[f"{name}_wilson"] / 5000 >= 0.93).all()
        assert (covered[f"{name}_wilson"] >= covered[name] - 100).all()
