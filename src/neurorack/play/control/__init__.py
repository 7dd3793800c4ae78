"""What goes between the processes: latest values, rings of audio, the performer's state."""
