"""What the recorder says: the phrase table, its sound, and the voice that says it."""
