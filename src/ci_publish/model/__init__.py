"""The values that all packages share: frozen, and importing only errors and each other."""
