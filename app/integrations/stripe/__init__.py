"""Stripe over HTTP: one client, its failures as ours, its events verified."""
