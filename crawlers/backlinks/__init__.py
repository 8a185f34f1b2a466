"""Who links to a site: exports of backlink services, Common Crawl's ranks, and services that answer over HTTP. Facts, never judgements."""
