"""From features and links to calibrated evidence with reasons; no thresholds here."""
