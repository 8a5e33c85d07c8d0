"""A run: what it is given, its plan, and the stages from check to confirm."""
