"""The recorder's hardware, one adapter a file. Only `device.__main__` opens it."""
