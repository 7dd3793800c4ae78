"""The rows of the control table: what METHOD@DECODER+name=value… means, and the sets we ask for by name.

Methods: rave, c-rave, f-rave (as published), conditional, fader, counterfactual (ours). Decoders: published
(upsampling convolutions in bands, with RAVE's encoder) and ours (source-filter). After them any number of
changes; a name is

    a weight of a loss      --weight   learn/train/objective.py (Weights):      +counterfactual=4
    a field of the model    --model    learn/model/config.py (ModelConfig):     +control_dilations=[1,2]
    an option of training   OPTIONS:   batch, crop, lr, size, from (a run, a name or a .nrk), new-code,
                                       keep-code, adversarial (0 or 1):         +from=winds+lr=0.0005
"""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

METHODS = ("rave", "c-rave", "f-rave", "conditional", "fader", "counterfactual")
DECODERS = {"published": "published", "ours": "source-filter"}
OPTIONS = ("batch", "crop", "lr", "size", "from", "new-code", "keep-code", "adversarial")
SWITCHES = ("new-code", "keep-code", "adversarial")
PLAIN = "rave@published"
"""What reconstruction is compared with."""

SETS: dict[str, dict[str, str]] = {
    "published": {
        PLAIN: "the autoencoder alone, with as many latent numbers as z and controls have together",
        "c-rave@published": "told the controls, and nothing done to make it listen",
        "f-rave@published": "the published method: a latent critic takes the controls out of z",
        "conditional@ours": "what our decoder gives by its form alone",
        "fader@ours": "our decoder with a critic of bounded confusion",
        "counterfactual@ours": "our method as it is",
    },
    "crossed": {
        "rave@ours": "our decoder and the published losses, z told everything",
        "c-rave@ours": "the published losses with our decoder: conditioning",
        "f-rave@ours": "the published losses with our decoder: the unbounded critic",
        "counterfactual@published": "our losses with the published decoder",
    },
    "ablations": {
        "counterfactual@ours": "the method as it is: every other row changes one thing",
        "counterfactual@ours+counterfactual_share=0.5+counterfactual_every=2": "half a batch every second "
        "step asked, as until November 2026",
        "counterfactual@ours+counterfactual_share=0.25+counterfactual_every=2": "a quarter of a batch every "
        "second step asked",
        "counterfactual@ours+counterfactual=1": "the counterfactual loss counts a quarter",
        "counterfactual@ours+counterfactual_warm=0": "requests from the first step on, as "
        "until December 2026",
        "counterfactual@ours+response_frames=0": "controls to be obeyed at once",
        "counterfactual@ours+support=0": "what the corpus has no sound for counts whole",
        "counterfactual@ours+gestures=0": "rows move to other sounds' curves only, never by hand",
        "counterfactual@ours+bands=0": "single bins only, no levels in mel bands, as until December 2026",
        "counterfactual@ours+fader=0": "no latent critic",
        "counterfactual@ours+spread=0": "nothing keeps the code's scale",
        "counterfactual@ours+z_noise=0": "no noise on the code",
        "counterfactual@ours+latent_size=4": "half the latent numbers",
        "counterfactual@ours+near=0.1": "errors under a twentieth of the range count squared, as until "
        "November 2026",
        "counterfactual@ours+follow=0": "the distance of a curve counts, not its shape",
        "fader@ours": "no counterfactual loss",
        "conditional@ours": "neither counterfactual loss nor critic",
    },
}
"""Set -> arm -> why it is there."""


@dataclass(frozen=True)
class Arm:
    """One row: `text` as it was asked for, and what that means."""

    text: str
    method: str
    decoder: str
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """For people: "counterfactual@ours, spread 0, from winds"."""
        return ", ".join([f"{self.method}@{self.decoder}", *(f"{n} {v}" for n, v in self.changes)])

    @property
    def why(self) -> str:
        """Why one of the sets has it; empty for others."""
        return next((arms[self.text] for arms in SETS.values() if self.text in arms), "")

    @property
    def folder(self) -> str:
        """Name of its folder; the same for the same arm on every system."""
        changes = "".join(f"+{name}={value}" for name, value in self.changes)
        return f"{self.method}.{self.decoder}" + re.sub(r"[^\w.+=-]", "_", changes)

    def train_options(self) -> list[str]:
        """What `neurorack train` is given; NeurorackError where `from` names nothing."""
        given = ["--arm", self.method, "--model", f"decoder={DECODERS[self.decoder]}"]
        for name, value in self.changes:
            if name == "from":
                given += ["--from", str(_found(value))]
            elif name in SWITCHES:
                given += {"1": [f"--{name}"], "0": [f"--no-{name}"] if name == "adversarial" else []}[value]
            elif name in OPTIONS:
                given += [f"--{name}", value]
            else:
                given += ["--weight" if name in weight_names() else "--model", f"{name}={value}"]
        return given


def parse_arm(text: str) -> Arm:
    """METHOD@DECODER[+name=value…] -> Arm; ValueError with a sentence."""
    head, *tail = text.strip().split("+")
    method, _, decoder = head.partition("@")
    if method not in METHODS or decoder not in DECODERS:
        raise ValueError(f"{text}: METHOD is one of {', '.join(METHODS)}, DECODER of {', '.join(DECODERS)}")
    changes = []
    for pair in tail:
        name, _, value = pair.partition("=")
        if not name or not value:
            raise ValueError(f"{text}: {pair!r} is not name=value")
        if name not in (*OPTIONS, *weight_names(), *model_names()):
            raise ValueError(
                f"{text}: there is no {name!r}. Weights: {', '.join(weight_names())}; model: "
                f"{', '.join(model_names())}; training: {', '.join(OPTIONS)}"
            )
        if name in SWITCHES and value not in ("0", "1"):
            raise ValueError(f"{text}: {name} is 0 or 1")
        changes.append((name, value))
    return Arm(text.strip(), method, decoder, tuple(changes))


def parse_arms(text: str) -> list[Arm]:
    """Arms separated by commas (those within [] belong to a list), each once."""
    return [parse_arm(t) for t in dict.fromkeys(re.split(r",(?![^\[]*\])", text)) if t.strip()]


def weight_names() -> tuple[str, ...]:
    """Losses that can be weighed (loads torch)."""
    from neurorack.learn.train.objective import Weights

    return tuple(f.name for f in dataclasses.fields(Weights))


def model_names() -> tuple[str, ...]:
    """Fields of the model that an arm may change; the decoder is named after the @."""
    from neurorack.learn.model.config import ModelConfig

    fixed = ("controls", "sample_rate", "decoder", "conditioned")
    return tuple(f.name for f in dataclasses.fields(ModelConfig) if f.name not in fixed)


def _found(value: str) -> Path:
    """The run or instrument (loads torch)."""
    from neurorack.learn.train.run import find_origin

    return find_origin(value)
