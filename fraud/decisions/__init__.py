"""From signals and a policy to an outcome that is frozen, explained and replayed."""
