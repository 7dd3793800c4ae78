"""MIDI: ports, a robust parser, what the messages mean, learned controllers, the clock out."""
