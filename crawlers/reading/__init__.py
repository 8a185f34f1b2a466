"""Readers of one aspect of an HTML page each; `crawlers.page` puts them together. All are pure and none raises on bad HTML."""
