"""Figures, each measured beside its peer in the same run: ``python -m benchmarks``.

Not part of the timed tests. The ratios travel from machine to machine, the absolute figures do
not: every run prints the machine first.
"""
