"""Everything that an index is known to refuse, one module for each family of rules."""
