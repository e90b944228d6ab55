"""Measurements: ratios taken in one run. No test asserts a time."""
