"""Settings of small jobs that several tests of mixing share."""

CENTRE = {"readout": "centre", "core": None, "window": 6, "token_px": 1}
EARLY = {"enabled": True, "start": 0.0, "every": 2, "confidence": 0.0, "at_least": 5}
