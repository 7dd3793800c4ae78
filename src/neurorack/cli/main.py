"""`neurorack`: one door to every command. Commands load when called; errors come out as one sentence."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from neurorack import __version__
from neurorack.core.errors import NeurorackError
from neurorack.core.files import DISK_FULL

COMMANDS = {
    "play": "Play an instrument in the browser or through a sound card.",
    "calibrate": "Tell Neurorack how many volts a channel carries.",
    "transfer": "Render a sound through an instrument into a file.",
    "generate": "Let an instrument play by itself into a file.",
    "list": "Show the instruments you have.",
    "info": "Show everything an instrument says about itself.",
    "render": "Render a recorded take again, or a preset into a file.",
    "bench": "Measure how fast an instrument runs here.",
    "new": "Make an instrument of a folder of recordings, in one go.",
    "prepare": "Turn a folder of recordings into a corpus.",
    "train": "Train an instrument on a corpus.",
    "export": "Pack a trained run into one .nrk file.",
    "prior": "Teach an instrument to play by itself.",
    "measure": "Score an instrument on recordings it never heard.",
    "report": "Make a page on which an instrument is heard, seen and judged.",
}
"""Each command's one line of help, kept here so that `neurorack --help` imports none of them."""

LEARN_PACKAGES = {
    *("torch", "lightning_fabric", "tensorboard", "safetensors", "onnxscript"),
    *("scipy", "librosa", "matplotlib"),
}

EXAMPLES = """\b
Examples:
  neurorack play                                   play, on http://127.0.0.1:7373
  neurorack list                                   which instruments are there
  neurorack info Winds                             what an instrument can do
  neurorack transfer voice.wav --instrument Winds -o out.wav
  neurorack generate --instrument Winds -o alone.wav    it plays by itself

\b
Your own instrument (needs pip install "neurorack[learn]"):
  neurorack new RECORDINGS -o mine.nrk --minutes 30

\b
The same step by step:
  neurorack prepare RECORDINGS -o CORPUS
  neurorack train CORPUS -o RUN --minutes 30
  neurorack export RUN -o mine.nrk
"""


class LazyGroup(click.Group):
    """Commands live in neurorack.cli.<name>.command and are imported when asked for by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"neurorack.cli.{cmd_name}").command

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {close[0]}?" if close else "neurorack --help lists the commands."
            raise click.UsageError(f"There is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)
@click.version_option(__version__, "--version", "-V", prog_name="neurorack")
def cli() -> None:
    """A neural synthesizer played through what the ear hears:
    loudness, brightness, boominess, noisiness, pitch.

    `neurorack COMMAND --help` explains a command.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 a problem the user can solve, 130 stopped by the user."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a character must not end the program
            stream.reconfigure(errors="replace")
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result: Any = cli.main(arguments, prog_name="neurorack", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) and not isinstance(result, bool) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; keep the interpreter's last flush from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (NeurorackError, ModuleNotFoundError, MemoryError, OSError) as error:
        sentence = _sentence(error)
        if sentence is None or os.environ.get("NEURORACK_DEBUG"):
            raise
        click.echo(f"Error: {sentence}", err=True)
        return 2


def _sentence(error: BaseException) -> str | None:
    """What to tell the user, or None for a fault of ours that deserves its traceback."""
    if isinstance(error, NeurorackError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package in LEARN_PACKAGES:
            return f'This command needs {package}, which is not installed: pip install "neurorack[learn]".'
        return None
    if isinstance(error, MemoryError):
        return "There is not enough memory; close other programs or work on a smaller piece."
    if isinstance(error, OSError):
        if error.errno in DISK_FULL:
            return "The disk is full; free some space and run the command again."
        if error.filename is not None:
            return f"{error.filename}: {error.strerror}; check the path and its permissions."
    return None


if __name__ == "__main__":
    main()
