from tests.connections.conftest import demo, running, world

__all__ = ["demo", "running", "world"]
