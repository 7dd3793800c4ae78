"""What the score judges in tests: sounds of the tests' own, and real requests made from them."""

import numpy as np

from neurorack.learn.measure.asking import requests_for, unmoved
from neurorack.learn.measure.control import ControlScore, Yardstick
from neurorack.learn.measure.excerpts import Excerpt
from neurorack.learn.measure.subject import sources_without_model

RATE = 44_100
SECONDS = 3.0


def subject_of(sounds: list[np.ndarray]):
    """(vocabulary, sources, requests of each source) of sounds that belong to groups of their own."""
    excerpts = [Excerpt(sound, (f"{i}.wav",), frozenset({f"{i}"})) for i, sound in enumerate(sounds)]
    vocabulary, sources = sources_without_model(excerpts, RATE)
    return vocabulary, sources, [requests_of(i, sources, vocabulary) for i in range(len(sources))]


def requests_of(index: int, sources, vocabulary) -> list:
    """The unmoved request, then everything that is asked of one source."""
    return [unmoved(sources[index]), *requests_for(index, sources, vocabulary, 0)]


def score(subject, hear) -> dict:
    """The figures when `hear(source, request)` gives the curves that an answer would be heard as."""
    vocabulary, sources, requests = subject
    result = ControlScore(vocabulary, Yardstick.of(sources, vocabulary))
    for index, source in enumerate(sources):
        result.add(index, source, requests[index], [hear(source, r) for r in requests[index]])
    return result.summary()
