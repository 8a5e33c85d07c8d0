"""A release beside the one before it: which wheels, versions, sizes and metadata are different."""
