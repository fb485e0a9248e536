"""What the tests of both reports ask of a page."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that tags match, and collects exact values, addresses and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.values, self.addresses, self.tags, self.text = [], [], [], set(), ""
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.tags.add(tag)
        for name, value in attributes:
            assert not name.startswith("on"), "a script in an attribute"
            if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                self.addresses.append(value)
            if tag == "data" and name == "value":
                self.values.append(float(value))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data


def needs_nothing(text):
    """The page as `Page`; it loads nothing from anywhere and runs nothing."""
    found = Page(text)
    assert all(address.startswith(("data:", "#")) for address in found.addresses), found.addresses
    assert not found.tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for address in re.findall(r"url\(([^)]*)\)|@import", text):
        assert address.startswith("#"), address
    assert "http" not in text
    assert "prefers-color-scheme: dark" in text and "@media print" in text
    return found
