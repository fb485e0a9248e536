"""Methods and settings side by side: what is trained, and what the runs say together."""
