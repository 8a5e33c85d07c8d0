"""The only way out of the process, and one set of HTTP conventions for every package."""
