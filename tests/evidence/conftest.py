"""How hypothesis looks for counter-examples here."""

from hypothesis import settings

# A machine under load is no counter-example, so there is no deadline.
settings.register_profile("evidence", deadline=None, max_examples=60)
settings.load_profile("evidence")
