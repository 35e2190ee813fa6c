"""All that this Stripe answers to. Part of the list are blueprints; each has its own prefix."""

from flask import Blueprint

DOORS: tuple[Blueprint, ...] = ()
