"""The same agent on any PC: a world around it, not mocks inside it."""
