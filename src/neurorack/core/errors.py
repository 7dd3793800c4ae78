"""The one exception a user is meant to read."""


class NeurorackError(Exception):
    """A problem the user can solve.

    The message is one clear sentence that says what is wrong and what to do. The command line prints it
    and exits with code 2; the panel shows it; the sound goes on.
    """
