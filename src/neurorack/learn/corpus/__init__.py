"""A folder of recordings made ready for training: `prepare` makes a corpus, `Corpus` reads it."""

from neurorack.learn.corpus.corpus import Corpus, CorpusFile

__all__ = ["Corpus", "CorpusFile"]
