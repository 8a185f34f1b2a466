"""Social profiles: what platforms say of them where they may be asked, whose they are, and how plausible their counts look. Facts only."""
