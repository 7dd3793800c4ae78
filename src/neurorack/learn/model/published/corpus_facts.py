"""What the published method has to know of a corpus: its extremes, and its quantiles with silence in."""

from typing import Any

import numpy as np
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.learn.corpus import Corpus
from neurorack.learn.model.published.critic import PublishedCritic, quantile_edges
from neurorack.learn.model.published.decoder import PublishedDecoder


def corpus_facts(corpus: Corpus, normalisers: dict[str, Normaliser]) -> dict[str, Any]:
    """Of every training frame: `ranges`, least and greatest physical value of each control, and `edges`, the
    critic's 15 bin edges of each, normalised. Plain lists, to be kept with the run.
    """
    table = np.concatenate([np.asarray(corpus.features(f)) for f in corpus.split("train")])
    columns = {name: table[:, corpus.column(name)] for name in normalisers}
    controls = np.stack([normalisers[name].to_control(column) for name, column in columns.items()], axis=1)
    ranges = {name: [float(column.min()), float(column.max())] for name, column in columns.items()}
    return {"ranges": ranges, "edges": quantile_edges(controls)}


def tell_corpus(model: Any, facts: dict[str, Any], normalisers: list[Normaliser]) -> None:
    """Put `corpus_facts` into the parts of an autoencoder that use them. `normalisers`: of each control."""
    if isinstance(model.decoder, PublishedDecoder):
        model.decoder.min_max.set_ranges(normalisers, [tuple(pair) for pair in facts["ranges"].values()])
    if isinstance(model.critic, PublishedCritic):
        model.critic.edges.copy_(torch.tensor(facts["edges"]))
