"""How fast: measured rates beside the device's own peak, and beside what people would use instead, in one run."""
