"""The dense read-out beside what else could be: one window a pixel, overlapping, sparse, and other designs."""
