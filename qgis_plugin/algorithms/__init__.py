"""One algorithm of the toolbox in each file."""
