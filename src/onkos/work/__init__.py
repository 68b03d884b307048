"""One piece of work, an arm on a fold: its key, where it is kept, who runs it."""
