"""A stand-in hub for MIDI and OSC: writes down what is performed and keeps the little state they ask for."""

import pytest

from neurorack.play.control import messages as m
from neurorack.play.control.midi.learn import MidiMap
from neurorack.play.engine.params import PARAMS


class RecordingHub:
    """What `neurorack.play.control.hands.Hub` promises, without any sound."""

    def __init__(self, controls=("pitch", "loudness", "brightness")):
        self.midi_map = MidiMap()
        self.inputs = {}
        self.said = []
        """(hand, message) of everything performed."""
        self.left = []
        self.told = []
        self.numbers = {spec.name: spec.default for spec in PARAMS}
        self.asked = {}
        self.measured = {"beat": 0.0, "tempo_bpm": 120.0}
        self.transport = False
        self.presets = [{"name": "Fog"}, {"name": "Reed organ"}]
        self._instrument = {
            "name": "winds",
            "controls": [{"name": name, "label": name.title(), "unit": ""} for name in controls],
        }
        self._listeners = []
        self._hands = 0

    def perform(self, hand, message):
        self.said.append((hand, message))
        match message:
            case m.SetNumber(name, value):
                self.numbers[name] = value
            case m.SetControl(name, value):
                self.asked[name] = value
            case m.ReleaseControl(name):
                self.asked.pop(name, None)
            case m.Transport(on):
                self.transport = on

    @property
    def messages(self):
        return [message for _, message in self.said]

    def take(self):
        """Messages since the last call."""
        messages, self.said = self.messages, []
        return messages

    def hand(self):
        self._hands += 1
        return self._hands

    def leave(self, hand):
        self.left.append(hand)

    def state(self):
        return {
            "numbers": dict(self.numbers),
            "asked": dict(self.asked),
            "origin": {},
            "source": "hold",
            "anchor": 0,
            "clip": "",
            "gate": False,
            "latched": False,
            "transport": self.transport,
        }

    def library(self):
        return {"presets": self.presets}

    def telemetry(self):
        return self.measured

    def instrument(self):
        return self._instrument

    def tell(self, text, level="error"):
        self.told.append(text)

    def subscribe(self, listener, looks=lambda: True):
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, kind, data):
        for listener in list(self._listeners):
            listener(kind, data)


@pytest.fixture
def hub():
    return RecordingHub()


@pytest.fixture(scope="session")
def hub_factory():
    return RecordingHub
