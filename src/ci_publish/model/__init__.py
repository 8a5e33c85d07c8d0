"""The values that the rooms share: frozen, and importing nothing but errors and each other."""
