"""From facts, features and evidence to signals. Pure: nothing is fetched, and thresholds come as arguments."""
