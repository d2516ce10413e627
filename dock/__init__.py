"""The station that receives evidence, keeps it, and says so with a signature."""
