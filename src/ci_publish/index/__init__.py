"""Where it is published: the wire rules of indexes (pure) and the only HTTP client."""
