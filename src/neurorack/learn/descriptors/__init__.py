"""Causal, batched, differentiable descriptors of sound; each written once, and exported."""

from neurorack.learn.descriptors.bank import DescriptorBank, DescriptorSet
from neurorack.learn.descriptors.base import Descriptor, OutputSpec
from neurorack.learn.descriptors.frames import Frames
from neurorack.learn.descriptors.registry import FIXED_SET, available, build, load_descriptor

__all__ = [
    "FIXED_SET",
    "Descriptor",
    "DescriptorBank",
    "DescriptorSet",
    "Frames",
    "OutputSpec",
    "available",
    "build",
    "load_descriptor",
]
