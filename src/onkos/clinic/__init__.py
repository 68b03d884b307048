"""Clinical rules as pure functions over core types."""
