"""Package indexes: their protocols (pure modules), and the client that reads listings and uploads files."""
