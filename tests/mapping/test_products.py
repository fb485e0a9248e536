import numpy as np
import pytest

from engine.errors import ModelFileError
from engine.legend import LandClass, Legend
from engine.mapping.products import encode_block, product_layouts

LEGEND = Legend((LandClass(2, "water", (0, 0, 255)), LandClass(300, "forest", (0, 255, 0))))


def test_encoding_by_hand():
    probabilities = np.array([[[0.9, 0.2, 0.504]], [[0.1, 0.8, 0.496]]], np.float32)
    sensors = np.array([[1, 3, 0]])
    arrays = encode_block(probabilities, sensors, LEGEND)
    assert arrays["classes"].tolist() == [[[2, 300, 0]]]
    assert arrays["confidence"].tolist() == [[[90, 80, 255]]]
    assert arrays["probabilities"].tolist() == [[[90, 20, 255]], [[10, 80, 255]]]
    assert arrays["sensors"].tolist() == [[[1, 3, 0]]]


def test_layouts_are_as_small_as_values_allow():
    layouts = product_layouts(LEGEND, 9, {"classes", "sensors", "probabilities"})
    assert layouts["classes"].dtype == "uint16"
    assert layouts["sensors"].dtype == "uint16"
    assert layouts["probabilities"].band_names == ("water", "forest")
    assert "confidence" not in layouts
    assert product_layouts(Legend(LEGEND.classes[:1]), 8, {"classes"})["classes"].dtype == "uint8"


def test_huge_class_values_are_refused():
    with pytest.raises(ModelFileError, match="70000"):
        product_layouts(Legend((LandClass(70000, "x", (0, 0, 0)),)), 1, {"classes"})
