"""Installing what was rehearsed, and trying what was installed, in processes that know no secret."""
