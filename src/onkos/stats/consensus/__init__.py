"""One outline or one label from several readers, and each reader against the others."""
