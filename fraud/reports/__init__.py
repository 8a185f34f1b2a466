"""What people read: scans and dossiers as HTML with SVG charts, and as CSV. Reads no store and no clock."""
