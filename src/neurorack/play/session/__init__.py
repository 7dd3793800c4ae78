"""The session: what all hands together play, its presets, clips and takes, and the hub they speak to."""
