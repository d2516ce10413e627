"""For all tests: how long one example of a property takes says nothing on a shared machine."""

from hypothesis import settings

settings.register_profile("liuhen", deadline=None)
settings.load_profile("liuhen")
