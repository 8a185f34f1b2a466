"""What an address, a user agent or a referrer says beyond its letters."""
