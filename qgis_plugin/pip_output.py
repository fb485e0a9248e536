"""What pip says, made out: how far it is, and why it failed."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional

from .translation import tr

_EXPECTED_PACKAGES = 25  # after so many, two thirds of a stage's time have usually passed

Say = Callable[[str], None]
Progress = Callable[[float, str], None]


class Stage:
    """A part of the work, from percent `start` to `end`: reads pip's lines and tells how far it is.

    How many packages there will be is not known beforehand, so each brings the stage nearer to its end by a share of
    what is left.

    Args:
        say: takes lines worth showing.
        progress: takes percent done and what is being done.
        start, end: see above.
        what: what is being done.
    """

    def __init__(self, say: Say, progress: Progress, start: float, end: float, what: str = "") -> None:
        self.say, self.progress = say, progress
        self.start, self.end, self.what = start, end, what
        self.packages = 0

    def read(self, line: str) -> None:
        """Take a line of pip's output."""
        downloaded = re.match(r"Progress (\d+) of (\d+)", line)
        if downloaded:
            done, total = map(int, downloaded.groups())
            self._tell(done / max(1, total))
            return
        text = line.strip()
        if not text or text.startswith("Requirement already satisfied"):
            return
        if text.startswith(("Collecting", "Processing")):
            self.packages += 1
        if text.startswith("Installing collected packages"):  # pip is silent until all of them are unpacked
            self.packages = max(self.packages, 2 * _EXPECTED_PACKAGES)
            self.what = tr("Unpacking {count} packages").format(count=text.count(",") + 1)
        self.say(text)
        self._tell(0)

    def _tell(self, part: float) -> None:
        share = 1 - math.exp(-(self.packages + part) / _EXPECTED_PACKAGES)
        self.progress(self.start + share * (self.end - self.start), self.what)


def explain(errors: Sequence[str], code: Optional[int], wheels: Optional[Path]) -> str:
    """One sentence from what pip wrote on stderr."""
    said = [line.partition("ERROR:")[2].strip() for line in errors if "ERROR:" in line] or errors[-3:]
    text = " ".join(said) or f"exit code {code}"
    if wheels is not None and "No matching distribution" in text:
        hint = tr("{folder} lacks this package for this Python and system: download it there, and repeat.")
        return f"{text} - " + hint.format(folder=wheels)
    if any(word in " ".join(errors) for word in ("NewConnectionError", "ConnectTimeout", "Max retries", "SSLError")):
        hint = tr("The package index was not reached: check network and proxy, or install from a folder of wheels.")
        return f"{text} - {hint}"
    if "No space left" in text:
        return f"{text} - " + tr("Free some disk space, and repeat.")
    return tr("The packages could not be installed: {reason}").format(reason=text)
