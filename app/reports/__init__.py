"""What became of everything: the dashboard, the reports, and single messages followed to the end."""
