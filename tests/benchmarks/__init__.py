"""Measurements of speed: ratios within one run, medians of five, written to `docs/benchmarks.md` (`make bench-…`)."""
