"""Terms, thresholds, weights and outcomes as data: packs of YAML, read strictly and hashed."""
