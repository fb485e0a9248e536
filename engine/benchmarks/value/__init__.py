"""Which sensor is worth buying: a finished model on labelled pixels."""
