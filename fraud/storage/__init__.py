"""Adapters that keep and fetch, and do nothing else."""
