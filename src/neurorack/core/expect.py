"""What to expect of the recordings there are, said before anybody waits for it."""

GESTURE_S, FEW_S, SMALL_S = 10.0, 60.0, 300.0
"""Seconds of training material under which an instrument is one gesture, a few, or small."""


def of_material(seconds: float, recordings: int) -> str:
    """One sentence on what an instrument made of so much sound will be."""
    counted = f"{recordings} recording{'' if recordings == 1 else 's'}"
    if seconds < GESTURE_S:
        return (
            f"{seconds:.1f} s of sound ({counted}): it will sound like that one gesture, at other pitches "
            "and levels; most of what is asked beyond it will be a guess."
        )
    if seconds < FEW_S:
        return (
            f"{seconds:.0f} s of sound ({counted}): it will know these few gestures, and guess between them."
        )
    minutes = f"{seconds / 60:.1f} minutes of sound ({counted})"
    if seconds < SMALL_S:
        return f"{minutes}: a small instrument; what the recordings do not have, it will not obey well."
    return f"{minutes}: enough to play freely within what was recorded (Skins was made of 10, Winds of 54)."
