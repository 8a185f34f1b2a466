"""One numbered file per change of the tables: `0002_what_changed.py`. A published one is never edited."""
