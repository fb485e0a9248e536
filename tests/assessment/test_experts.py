"""The picture of experts."""

import re

import pytest

from engine.assessment.experts import expert_section


def test_bars_are_as_long_as_shares():
    """One bar for each combination and block, its parts in proportion; names are escaped."""
    experts = {
        "blocks": [4, 7],
        "patterns": {
            "a<b": {"share": [[0.25, 0.75], [1.0, 0.0]], "tokens": 9},
            "b": {"share": [[0.5, 0.5], [0.0, 1.0]], "tokens": 3},
        },
    }
    page = "".join(expert_section(experts))
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', page)]
    assert [width / sum(widths[:2]) for width in widths] == pytest.approx([0.25, 0.75, 1, 0, 0.5, 0.5, 0, 1], abs=0.01)
    assert re.search('<svg [^>]*fill="currentColor"', page)  # names must be seen on a dark page, too
    assert "block 4" in page and "block 7" in page and "a&lt;b" in page and "expert 1: 75 %" in page


def test_without_routers_there_is_nothing_to_show():
    assert expert_section(None) == []
