"""Telling trackers what was decided: which calls each one has, and how they are sent."""
