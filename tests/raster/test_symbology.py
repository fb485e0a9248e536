import xml.etree.ElementTree as ET

from engine.legend import LandClass, Legend, distinct_colour
from engine.raster.symbology import colour_table, confidence_qml, legend_qml, pam_xml, sensors_legend

LEGEND = Legend(
    (LandClass(1, 'water <deep> & "blue"', (0, 10, 255)), LandClass(4, "Wälder\x07", (1, 2, 3)))
)  # fmt: skip


def test_pam_has_categories_by_value_and_a_table():
    root = ET.fromstring(pam_xml(LEGEND, {1: 7, 0: 99}, {1: 0.25}))
    categories = [item.text or "" for item in root.iter("Category")]
    assert categories == ["nodata", 'water <deep> & "blue"', "", "", "Wälder"]
    names = [item.text for item in root.iter("Name")]
    usages = [item.text for item in root.iter("Usage")]
    assert names == ["Value", "Count", "Class", "Red", "Green", "Blue", "Area_ha"]
    assert usages == ["5", "1", "2", "6", "7", "8", "0"]
    rows = [[cell.text for cell in row] for row in root.iter("Row")]
    assert rows == [
        ["1", "7", 'water <deep> & "blue"', "0", "10", "255", "0.25"],
        ["4", "0", "Wälder", "1", "2", "3", "0.0"],
    ]


def test_area_is_left_out_where_unknown():
    assert "Area_ha" not in pam_xml(LEGEND, {})


def test_qml_lists_exactly_the_classes():
    root = ET.fromstring(legend_qml(LEGEND))
    assert root.find("pipe/rasterrenderer").get("type") == "paletted"
    entries = [(item.get("value"), item.get("color"), item.get("label")) for item in root.iter("paletteEntry")]
    assert entries == [("1", "#000aff", 'water <deep> & "blue"'), ("4", "#010203", "Wälder")]


def test_confidence_runs_from_0_to_100():
    items = list(ET.fromstring(confidence_qml()).iter("item"))
    values = [int(item.get("value")) for item in items]
    assert values == sorted(values) and (values[0], values[-1]) == (0, 100)


def test_colour_table_makes_nodata_transparent():
    assert colour_table(LEGEND) == {0: (0, 0, 0, 0), 1: (0, 10, 255, 255), 4: (1, 2, 3, 255)}


def test_patterns_are_classes_with_lasting_colours():
    legend = sensors_legend(["hsi", "lidar", "sar"], [0, 5, 2])
    assert [(item.value, item.name) for item in legend.classes] == [(2, "lidar"), (5, "hsi+sar")]
    assert legend.classes[1].colour == distinct_colour(5)
