"""Plain types of the business and the ports that storage and sinks fulfil. Imports nothing else of the product."""
