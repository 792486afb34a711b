from tests.story.conftest import new_site, prepared

__all__ = ["new_site", "prepared"]
