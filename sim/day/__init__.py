"""A whole day in a minute: the real agent and the real dock, in one event loop whose time is the world's."""
