"""What people look at: alerts, grouped and kept within the reviewers' budget."""
