from tests.vies_world import running_vies, vies_world

__all__ = ["running_vies", "vies_world"]
