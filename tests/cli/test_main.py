"""The command line's manners: quick help, one sentence for an error, honest exit codes, quiet pipes."""

import os
import subprocess
import sys
import time
import types

import click
import pytest

from neurorack.cli import main as cli_main
from neurorack.core.errors import NeurorackError


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neurorack.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_help_teaches_and_imports_nothing_heavy():
    code = (
        "import sys; sys.argv=['neurorack','--help']\n"
        "from neurorack.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as e: assert e.code == 0\n"
        "heavy = {'numpy','onnx','onnxruntime','rich','torch','aiohttp'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for text in (*cli_main.COMMANDS, "Examples:", "neurorack prepare RECORDINGS -o CORPUS"):
        assert text in done.stdout
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run("--help")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3 * float(os.environ.get("NEURORACK_TEST_SLACK", "3"))


def test_version_and_usage_errors():
    assert run("--version").stdout.startswith("neurorack, version ")
    wrong = run("trian")
    assert wrong.returncode == 2 and "did you mean train?" in wrong.stderr
    assert run("info").returncode == 2 and "Traceback" not in run("info", "--nope").stderr


def test_a_reader_that_leaves_early_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "neurorack.cli.main", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert complaint == b""


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        (NeurorackError("The cup is full; empty it."), 2, "Error: The cup is full; empty it."),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, 'pip install "neurorack[learn]"'),
        (
            ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"),
            2,
            'pip install "neurorack[learn]"',
        ),
        (OSError(28, "No space left on device"), 2, "Error: The disk is full"),
        (PermissionError(13, "Permission denied", "/x/y.nrk"), 2, "Error: /x/y.nrk: Permission denied"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "Stopped."),
        (click.UsageError("no such thing"), 2, "no such thing"),
    ],
)
def test_every_fault_has_its_sentence_and_code(monkeypatch, capsys, fault, code, sentence):
    @click.command()
    def command() -> None:
        raise fault

    monkeypatch.setitem(sys.modules, "neurorack.cli.train", types.SimpleNamespace(command=command))
    with pytest.raises(SystemExit) as caught:
        cli_main.main(["train"])
    out, err = capsys.readouterr()
    assert caught.value.code == code and out == "" and sentence in err and "Traceback" not in err


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    @click.command()
    def command() -> None:
        raise ModuleNotFoundError("No module named 'neurorack.typo'", name="neurorack.typo")

    monkeypatch.setitem(sys.modules, "neurorack.cli.train", types.SimpleNamespace(command=command))
    with pytest.raises(ModuleNotFoundError):
        cli_main.main(["train"])
