"""Affiliate fraud detection and screening: vet applicants, scan traffic, score clicks, with evidence a person can check."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("affiliate-fraud")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
