"""`neurorack train`: a corpus becomes a run."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from neurorack.cli import options

if TYPE_CHECKING:
    from neurorack.learn.model.config import Arm


@click.command(
    epilog="""
\b
Examples
  neurorack train corpus -o run --minutes 30
  neurorack train corpus -o run --resume
  neurorack train corpus -o run --minutes 10 --from winds   begin with what another has learnt
  neurorack train corpus -o big --size studio --minutes 60 --devices 2
Watch it:  tensorboard --logdir run
"""
)
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "run",
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.01),
    help="Time to train; the schedule fits itself to it. Default 30.",
)
@options.steps
@click.option("--resume", is_flag=True, help="Continue the run in this folder exactly where it stopped.")
@options.size
@click.option(
    "--arm",
    type=click.Choice(["conditional", "fader", "counterfactual", "rave", "c-rave", "f-rave"]),
    default="counterfactual",
    show_default=True,
    help="How control is taught: plainly, with a latent critic, or with the critic and "
    "counterfactual requests. rave, c-rave and f-rave are the published method, best with "
    "--model decoder=published.",
)
@click.option(
    "--controls",
    default="",
    metavar="NAMES",
    help="Descriptors to obey, of those the corpus has; default all.",
)
@options.batch
@click.option(
    "--crop",
    "crop_frames",
    type=click.IntRange(min=64),
    default=256,
    show_default=True,
    help="Frames of 128 samples in a crop.",
)
@click.option(
    "--lr", "learning_rate", type=float, default=1.5e-3, show_default=True, help="Peak learning rate."
)
@click.option(
    "--adversarial/--no-adversarial",
    default=None,
    help="A last stage against discriminators. Default: on a GPU.",
)
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="NAME=X",
    help="Weight of a loss, or a switch of one: kl, spread, z_noise, fader, counterfactual (4), "
    "counterfactual_every, counterfactual_share, support, gestures, near, follow, adversarial, matching. "
    "Repeatable.",
)
@click.option(
    "--model",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a field of the model's configuration, for ablations, like latent_size=4. Repeatable.",
)
@click.option(
    "--from",
    "origin",
    metavar="RUN|INSTRUMENT",
    help="Start from the weights of another run, or of an instrument by name or file (fine-tune); its corpus "
    "may be another.",
)
@click.option("--new-code", is_flag=True, help="With --from: keep its decoder, learn the latent code afresh.")
@click.option(
    "--keep-code",
    is_flag=True,
    help="With --from: leave its latent code as it is, teach only the decoder; clips, presets and priors "
    "stay valid.",
)
@click.option(
    "--balance",
    is_flag=True,
    help="Hear every folder of the corpus as often as any other, however little it holds.",
)
@click.option("--seed", default=0, show_default=True, help="Another seed, another run.")
@options.threads
@click.option("--accelerator", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--devices", default="auto", show_default=True, help="How many devices.")
@click.option(
    "--strategy", default="auto", show_default=True, help="Fabric's strategy for several devices, like ddp."
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "32", "bf16"]),
    default="auto",
    show_default=True,
    help="Of the learned layers; auto: bf16 on a GPU. Spectra and filterbank are always float32.",
)
@click.option(
    "--checkpoint-every",
    "checkpoint_every_s",
    default=60.0,
    show_default=True,
    help="Seconds between checkpoints.",
)
@click.option(
    "--evaluate-every",
    "evaluate_every_s",
    default=180.0,
    show_default=True,
    help="Seconds between evaluations.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    corpus: Path,
    run: Path,
    minutes: float | None,
    steps: int | None,
    resume: bool,
    size: str,
    arm: str,
    controls: str,
    batch: int | None,
    crop_frames: int,
    learning_rate: float,
    adversarial: bool | None,
    weights: tuple[str, ...],
    changes: tuple[str, ...],
    origin: str | None,
    new_code: bool,
    keep_code: bool,
    balance: bool,
    seed: int,
    threads: int | None,
    accelerator: str,
    devices: str,
    strategy: str,
    precision: str,
    checkpoint_every_s: float,
    evaluate_every_s: float,
    quiet: bool,
) -> None:
    """Train an instrument on CORPUS (made by `neurorack prepare`).

    It can be stopped at any moment, even by a power cut, and goes on with --resume (which also finds a CORPUS
    that has moved). It says which stage it is in, and when the instrument will be playable: when the
    distance to recordings held out is within 20 % of where its curve is going to end, and below 1.4. When it
    ends, make the instrument with `neurorack export RUN -o NAME.nrk`.

    Memory: 0.35 GB for every hour of recordings, twice that while they are read.
    """
    import torch

    from neurorack.core.errors import NeurorackError
    from neurorack.learn.train.objective import Weights
    from neurorack.learn.train.run import RunConfig, find_origin
    from neurorack.learn.train.start import make_fabric, new_run, parse_changes, take_up, train

    if threads:
        torch.set_num_threads(threads)
    if minutes and steps:
        raise NeurorackError("Give --minutes or --steps, not both.")
    if not minutes and not steps:
        minutes = 30.0
    parsed = {}
    for pair in weights:
        name, _, value = pair.partition("=")
        kinds = {f: type(v) for f, v in vars(Weights()).items()}
        try:
            parsed[name] = kinds[name](float(value))
        except (KeyError, ValueError):
            raise NeurorackError(
                f"--weight {pair!r} is not NAME=NUMBER with a NAME of {', '.join(kinds)}."
            ) from None
    fabric = make_fabric(accelerator, devices, strategy)
    fabric.launch()
    if not resume:
        if fabric.is_global_zero:
            gpu = fabric.device.type == "cuda"
            new_run(
                run,
                corpus,
                size=size,
                arm=cast("Arm", arm),
                minutes=minutes,
                steps=steps,
                batch=batch or (32 if gpu else 4),
                crop_frames=crop_frames,
                learning_rate=learning_rate,
                adversarial=adversarial,
                seed=seed,
                weights=parsed,
                changes=parse_changes(changes),
                controls=tuple(c.strip() for c in controls.split(",") if c.strip()),
                origin=find_origin(origin) if origin else None,
                new_code=new_code,
                keep_code=keep_code,
                balance=balance,
            )
        fabric.barrier()
    train(
        run,
        take_up(run, corpus) if resume else RunConfig.read(run),
        resume=resume,
        fabric=fabric,
        quiet=quiet,
        precision=precision,
        checkpoint_every_s=checkpoint_every_s,
        evaluate_every_s=evaluate_every_s,
    )
    if fabric.is_global_zero:
        click.echo(f"Trained. Make the instrument:  neurorack export {run} -o {run.name}.nrk")
