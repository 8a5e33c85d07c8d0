"""The only access to the network, with one set of HTTP conventions for every package."""
