"""Health for technicians: what the recorder knows of itself, what of it is not as it should be, and what to do."""
