from tests.story.conftest import new_site, prepared, scripts

__all__ = ["new_site", "prepared", "scripts"]
