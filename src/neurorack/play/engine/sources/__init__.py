"""Where z and the source's own controls come from: anchors held or wandered among, latent clips, the map.

A row is float32 [Z + C]: z, then the normalised controls that belong to it. Every source gives one row a
frame.
"""

from neurorack.play.engine.sources.anchors import Anchors, Wander
from neurorack.play.engine.sources.clip import ClipReader

__all__ = ["Anchors", "ClipReader", "Wander"]
