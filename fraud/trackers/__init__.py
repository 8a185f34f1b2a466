"""Connectors to trackers: they fetch reports, and tell a tracker what was decided. They know only the domain."""
