"""Bringing in lists of contacts: small ones as JSON in the request, large ones as a CSV file in a job."""
