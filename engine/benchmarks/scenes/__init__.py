"""What benchmarks run on: real scenes, published archives, simulated ones."""
