"""Each feature defined once, and the engines that compute them for a night or for a moment."""
