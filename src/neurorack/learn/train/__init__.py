"""Training: data on the device, losses, arms, schedule, checkpoints, the loop."""
