"""How the system is: its figures for a scraper, its health for the operator, and what needs somebody."""
