"""The front door: commands, signals, and errors turned into exit codes."""
