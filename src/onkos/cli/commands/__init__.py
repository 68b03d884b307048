"""One file a command: its options, and in its body the imports of the verb it calls."""
