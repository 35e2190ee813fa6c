"""All that this Shopify answers to."""

from app.sandbox.shopify.control import control
from app.sandbox.shopify.downloads import downloads
from app.sandbox.shopify.graph.endpoint import endpoint
from app.sandbox.shopify.oauth import oauth
from app.sandbox.shopify.page import page

DOORS = (oauth, endpoint, downloads, control, page)
