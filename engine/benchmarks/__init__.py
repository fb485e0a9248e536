"""Measuring the method beside what users have without it: floors, real scenes, speed."""
