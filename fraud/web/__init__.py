"""Pages for managers: rendered on the server, no script, a strict content policy. They read stores and reports and change nothing."""
