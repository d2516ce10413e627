"""The agent on the recorder."""
