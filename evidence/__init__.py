"""What the recorder and the dock must agree on: words, formats and rules.

Everything outside `evidence.io` is pure: bytes in, verdict out, without clock, disc, task or log.
"""
