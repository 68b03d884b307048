"""Images made ready for a method: the head found, upright, on one grid, comparable."""
