"""What a hardware front has in common with the panel: the small one-bit display."""
