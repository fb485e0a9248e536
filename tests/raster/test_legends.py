import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from engine.legend import LandClass, Legend
from engine.raster import symbology
from engine.raster.legends import (
    Hints,
    build_legend,
    class_indices,
    known_indices,
    merge_legends,
    qml_hints,
    raster_hints,
)

LEGEND = Legend((LandClass(1, "water", (1, 2, 250)), LandClass(3, "Wiese & Weide", (10, 200, 30))))


def bare(*values):
    return build_legend(values, Hints())


def named(**names):
    return build_legend(names.values(), Hints({str(value): name for name, value in names.items()}))


@pytest.fixture
def class_raster(make_raster):
    return make_raster("classes.tif", np.array([[1, 3], [0, 1]], np.uint8))


def test_the_style_that_we_write_is_read_again(class_raster):
    class_raster.with_suffix(".qml").write_text(symbology.legend_qml(LEGEND), encoding="utf-8")
    assert build_legend([1, 3], raster_hints(class_raster)) == LEGEND


def test_the_attribute_table_that_we_write_is_read_again(class_raster):
    aux = class_raster.with_name("classes.tif.aux.xml")
    aux.write_text(symbology.pam_xml(LEGEND, {1: 2, 3: 1}), encoding="utf-8")
    assert build_legend([1, 3], raster_hints(class_raster)) == LEGEND


def test_category_names_alone(class_raster):
    class_raster.with_name("classes.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><CategoryNames><Category>-</Category><Category>water</Category>"
        "<Category/><Category>wood</Category></CategoryNames></PAMRasterBand></PAMDataset>"
    )
    assert build_legend([1, 2, 3], raster_hints(class_raster)).names == ["water", "class 2", "wood"]


def test_a_colour_table_gives_colours(class_raster):
    with rasterio.open(class_raster, "r+") as file:
        file.write_colormap(1, {1: (0, 0, 255, 255), 3: (0, 128, 0, 255)})
    legend = build_legend([1, 2, 3], raster_hints(class_raster))
    assert legend.classes[0].colour == (0, 0, 255) and legend.classes[2].colour == (0, 128, 0)
    assert legend.classes[1].colour != (0, 0, 0)  # what GDAL fills the table with is no colour


def test_the_style_goes_before_the_colour_table(class_raster):
    with rasterio.open(class_raster, "r+") as file:
        file.write_colormap(1, {1: (9, 9, 9, 255), 2: (8, 8, 8, 255)})
    class_raster.with_suffix(".qml").write_text(symbology.legend_qml(LEGEND), encoding="utf-8")
    legend = build_legend([1, 2], raster_hints(class_raster))
    assert [item.colour for item in legend.classes] == [(1, 2, 250), (8, 8, 8)]


def test_an_envi_classification(tmp_path):
    path = tmp_path / "classes.dat"
    with rasterio.open(path, "w", driver="ENVI", width=2, height=2, count=1, dtype="uint8") as file:
        file.write(np.array([[[1, 2], [0, 1]]], np.uint8))
    with path.with_suffix(".hdr").open("a") as header:
        header.write(
            "classes = 3\nclass names = {Unclassified, Meadow, Wood}\nclass lookup = {0,0,0, 9,200,9, 1,99,1}\n"
        )
    legend = build_legend([1, 2], raster_hints(path))
    assert legend.names == ["Meadow", "Wood"] and legend.classes[1].colour == (1, 99, 1)


def test_a_broken_sidecar_costs_names_only(class_raster):
    class_raster.with_suffix(".qml").write_text("<qgis><unclosed>")
    class_raster.with_name("classes.tif.aux.xml").write_text("")
    assert build_legend([1, 3], raster_hints(class_raster)).names == ["class 1", "class 3"]


@pytest.mark.parametrize(
    "colour",
    [
        '<Option type="QString" name="color" value="12,34,56,255,rgb:0.1,0.2,0.3,1"/>',
        '<prop k="color" v="12,34,56,255"/>',
    ],
)
def test_categorised_symbols(tmp_path, colour):
    category = '<category value="2" label="Wood" symbol="0"/>'
    symbol = f'<symbol name="0"><layer>{colour}</layer></symbol>'
    (tmp_path / "a.qml").write_text(
        '<qgis><renderer-v2 type="categorizedSymbol" attr="kind">'
        f"<categories>{category}</categories><symbols>{symbol}</symbols></renderer-v2></qgis>"
    )
    hints = qml_hints(tmp_path / "a.qml", "kind")
    assert hints.names == {"2": "Wood"} and hints.colours == {"2": (12, 34, 56)}
    assert qml_hints(tmp_path / "a.qml", "other") == Hints()


def test_a_name_given_twice_is_told_apart():
    assert build_legend([1, 2, 5], Hints({"1": "wood", "5": " Wood", "2": ""})).names == ["wood", "class 2", "Wood (5)"]


def test_merging_by_name_and_by_value():
    merged = merge_legends([named(water=1, wood=2), named(Wood=1, meadow=2, rock=7), bare(7, 9)])
    assert [(item.value, item.name) for item in merged.classes] == [
        (1, "water"), (2, "wood"), (7, "rock"), (9, "class 9"), (10, "meadow"),
    ]  # fmt: skip
    assert class_indices(named(Wood=1, meadow=2, rock=7), merged).tolist() == [1, 4, 2]
    assert class_indices(bare(7, 9), merged).tolist() == [2, 3]


def test_a_number_is_never_taken_for_a_class_that_had_to_move():
    merged = merge_legends([named(water=1), named(rock=1), bare(2)])
    assert class_indices(bare(2), merged) != class_indices(named(rock=1), merged)


def test_a_name_learnt_later_is_kept():
    merged = merge_legends([bare(1, 2), named(water=1)])
    assert merged.names == ["water", "class 2"]
    assert class_indices(bare(1, 2), merged).tolist() == [0, 1]


def test_a_class_that_was_not_merged_is_a_bug():
    with pytest.raises(KeyError, match="rock"):
        class_indices(named(rock=1), bare(2))


legends = st.dictionaries(st.integers(1, 9), st.sampled_from(["", "water", "wood", "rock", "sand"]), min_size=1).map(
    lambda names: build_legend(names, Hints({str(value): name for value, name in names.items()}))
)


@given(st.lists(legends, min_size=1, max_size=4))
def test_merging_keeps_every_class_and_its_name(many):
    merged = merge_legends(many)
    for legend in many:
        indices = class_indices(legend, merged)
        for item, index in zip(legend.classes, indices, strict=True):
            same = merged.classes[index]
            assert same.name.casefold() == item.name.casefold() or item.name == f"class {item.value}"


def test_classes_of_a_given_legend():
    """By name where both have names, else by value; whatever values they have."""
    known = named(water=1, wood=2, rock=3)
    assert known_indices(named(Wood=1, sand=2, water=3), known).tolist() == [1, -1, 0]
    assert known_indices(bare(2, 3, 9), known).tolist() == [1, 2, -1]
    assert known_indices(named(sea=4, shore=7), bare(4, 5)).tolist() == [0, -1]


@given(legends, legends)
def test_a_given_legend_knows_itself_and_nothing_twice(legend, known):
    assert known_indices(known, known).tolist() == list(range(len(known)))
    indices = known_indices(legend, known)
    found = indices[indices >= 0].tolist()
    assert len(set(found)) == len(found)
