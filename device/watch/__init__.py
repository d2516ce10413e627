"""What the recorder keeps an eye on: readings in, bands and prompts out. Pure; whoever calls brings the time."""
