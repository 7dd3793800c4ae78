"""Command lines of the form OWN OPTIONS -- OPTIONS THAT ARE PASSED ON to another program."""


def split(given: list[str]) -> tuple[list[str], list[str]]:
    """Words before the first "--" and words after it; without one, all are before it."""
    at = given.index("--") if "--" in given else len(given)
    return given[:at], given[at + 1 :]
