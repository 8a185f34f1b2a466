"""Three made-up applicants with their sites, for demonstrations and tests: an honest one, a parked one, and one that forces clicks."""
