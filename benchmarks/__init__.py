"""Side by side with twine, uv and a raw floor; see README.md."""
