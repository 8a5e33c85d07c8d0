"""Settings, and the commands that run with them."""
