"""Arrays in, estimates out: no number leaves this room without its uncertainty."""
