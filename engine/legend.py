"""Classes: the value in the map, the name in the legend, the colour on the screen."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LandClass:
    """One class: `value` in class maps (>= 1; 0 is nodata), `colour` as (red, green, blue), 0 to 255."""

    value: int
    name: str
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Legend:
    """The classes of a model or map, ordered by value. Class index y in code is the position here, 0-based."""

    classes: tuple[LandClass, ...]

    def __post_init__(self) -> None:
        """Check that values are unique, positive and ascending."""
        values = [item.value for item in self.classes]
        if values != sorted(set(values)) or (values and values[0] < 1):
            raise ValueError(f"class values must be unique, ascending and >= 1, got {values}")

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    @property
    def values(self) -> list[int]:
        """Pixel value of each class index."""
        return [item.value for item in self.classes]

    @property
    def names(self) -> list[str]:
        """Name of each class index."""
        return [item.name for item in self.classes]

    def to_json(self) -> list[dict]:
        """JSON-able form, the one inside model files."""
        return [{"value": item.value, "name": item.name, "colour": list(item.colour)} for item in self.classes]

    @classmethod
    def from_json(cls, data: list[dict]) -> Legend:
        """Inverse of `to_json`."""
        classes = []
        for item in data:
            red, green, blue = (int(part) for part in item["colour"])
            if not all(0 <= part <= 255 for part in (red, green, blue)):
                raise ValueError(f"colour {red}, {green}, {blue}: expected 0 to 255")
            classes.append(LandClass(int(item["value"]), str(item["name"]), (red, green, blue)))
        return cls(tuple(classes))


def distinct_colour(index: int) -> tuple[int, int, int]:
    """A colour for class number `index` where the source has none: hues a golden ratio apart never repeat closely."""
    hue = (0.33 + index * 0.61803398875) % 1.0
    value = (0.85, 0.65, 0.95)[index % 3]
    red, green, blue = (round(part * 255) for part in colorsys.hsv_to_rgb(hue, 0.65, value))
    return red, green, blue
