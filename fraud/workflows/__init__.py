"""The three jobs as sequences of the parts below; no logic of their own."""
