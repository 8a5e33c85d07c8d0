"""Everything that an index is known to refuse, one file for each family of rules."""
