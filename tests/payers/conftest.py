from tests.stripe_world import running_stripe, stripe_world
from tests.vies_world import running_vies, vies_world

__all__ = ["running_stripe", "running_vies", "stripe_world", "vies_world"]
