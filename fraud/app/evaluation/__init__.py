"""Measuring the scan: metrics of one night, the baselines beside it, several seeds at once, and the floors that a change may not break."""
