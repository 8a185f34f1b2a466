"""The composition root: the only place that wires crawlers, models and storage together. It knows nothing of api, web and cli."""
