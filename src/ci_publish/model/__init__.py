"""The values that all packages share: frozen, and importing nothing but errors and each other."""
