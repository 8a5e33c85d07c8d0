"""The command line: arguments, signals, and errors turned into exit codes."""
