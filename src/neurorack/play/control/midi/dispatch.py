"""Dispatcher: MIDI messages of one port -> the hub's messages.

Keys belong to their channel's hand. Outside an MPE zone, pitch wheel, pressure and timbre are of all notes;
inside one, a member channel's are of its own note, and the master's are added to them.
"""

import time
from collections.abc import Callable

import mido

from neurorack.play.control import messages as m
from neurorack.play.control.hands import Hub
from neurorack.play.control.midi.channel import BEND_RANGE, MEMBER_BEND_RANGE, NULL_RPN, Channel, Zone
from neurorack.play.control.midi.targets import Targets

WHEEL, DATA_MSB, DATA_LSB, PEDAL, TIMBRE = 1, 6, 38, 64, 74
NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB = 98, 99, 100, 101
SOUND_OFF, RESET_CONTROLLERS, NOTES_OFF = 120, 121, 123
PANIC_REST_S = 0.5
"""Programs send "all sound off" on sixteen channels at a time: one panic is enough."""
CLOCKS = {"clock": "pulse", "start": "start", "continue": "start", "stop": "stop"}
"""The clock has no song to continue: it starts from a beat."""


class Dispatcher:
    """One for each input port. `mpe`: a lower zone of fifteen members from the start."""

    def __init__(self, hub: Hub, mpe: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._now_s = clock
        self._hand = hub.hand()
        self._channels: dict[int, Channel] = {}
        self._zones: dict[int, Zone] = {}
        self._targets = Targets(hub)
        self._panicked = -PANIC_REST_S
        if mpe:
            self._set_zone(1, 15)

    def receive(self, message: mido.Message) -> None:
        """Carry out one message; what means nothing here is skipped."""
        if message.type in CLOCKS:
            self._hub.perform(self._hand, m.Clock(CLOCKS[message.type]))
        elif message.type == "reset":
            self.release()
            self._panic()
        elif hasattr(message, "channel"):
            channel = self._channel(message.channel + 1)
            match message.type:
                case "note_on" if message.velocity > 0:
                    self._note_on(channel, message.note, message.velocity / 127)
                case "note_on":
                    self._note_off(channel, message.note, 64 / 127)
                case "note_off":
                    self._note_off(channel, message.note, message.velocity / 127)
                case "pitchwheel":
                    channel.bend = message.pitch / (8192 if message.pitch < 0 else 8191)
                    self._tell_bend(channel)
                case "aftertouch":
                    channel.pressure = message.value / 127
                    self._tell_pressure(channel)
                case "polytouch":
                    if message.note in channel.sounding:
                        self._hub.perform(channel.hand, m.Pressure(message.value / 127, message.note))
                case "control_change":
                    self._control_change(channel, message.control, message.value)
                case "program_change":
                    self._program(channel, message.program)

    def release(self) -> None:
        """Let go of every key, bend and pedal of this port: its cable was pulled, or it said too much."""
        for channel in self._channels.values():
            channel.down.clear()
            channel.hung.clear()
            channel.pedal = False
            channel.reset_controllers()
            self._hub.leave(channel.hand)

    def _channel(self, number: int) -> Channel:
        if number not in self._channels:
            self._channels[number] = Channel(number, self._hub.hand())
        return self._channels[number]

    def _note_on(self, channel: Channel, key: int, velocity: float) -> None:
        if key in channel.sounding:  # struck again under the pedal, or its end was lost
            self._end(channel, key, 0.0)
        channel.down.add(key)
        self._hub.perform(channel.hand, m.Note(True, key, velocity))
        zone = self._zone_of(channel)
        if zone is not None:  # what the channel said before belongs to this note
            self._hub.perform(channel.hand, m.Bend(self._bend_of(channel, zone), key))
            self._hub.perform(channel.hand, m.Pressure(self._pressure_of(channel, zone), key))
            self._hub.perform(channel.hand, m.Timbre(self._timbre_of(channel, zone), key))

    def _note_off(self, channel: Channel, key: int, velocity: float) -> None:
        if key not in channel.down:
            return
        channel.down.discard(key)
        if channel.pedal or self._master_of(channel).pedal:
            channel.hung.add(key)
        else:
            self._end(channel, key, velocity)

    def _end(self, channel: Channel, key: int, velocity: float) -> None:
        channel.down.discard(key)
        channel.hung.discard(key)
        self._hub.perform(channel.hand, m.Note(False, key, velocity))

    def _control_change(self, channel: Channel, number: int, value: int) -> None:
        zone = self._zone_of(channel)
        per_note = zone is not None and channel.number != zone.master and number == TIMBRE
        if not per_note:
            movement = self._hub.midi_map.control_change(channel.number, number, value, self._now_s())
            if movement is not None:
                message = self._targets.message(movement)
                if message is not None:
                    self._hub.perform(channel.hand, message)
                return
        if number == WHEEL:
            self._hub.perform(channel.hand, m.External("wheel", value / 127))
        elif number == TIMBRE:
            channel.timbre = value / 127
            self._tell_timbre(channel)
        elif number == PEDAL:
            self._set_pedal(channel, value)
        elif number in (RPN_MSB, RPN_LSB):
            msb, lsb = channel.rpn
            channel.rpn = (value, lsb) if number == RPN_MSB else (msb, value)
        elif number in (NRPN_MSB, NRPN_LSB):
            channel.rpn = NULL_RPN
        elif number in (DATA_MSB, DATA_LSB):
            self._data_entry(channel, number, value)
        elif number == SOUND_OFF:
            self._all_off(channel)
            self._panic()
        elif number == RESET_CONTROLLERS:
            self._reset_controllers(channel)
        elif number >= NOTES_OFF:
            self._all_off(channel)

    def _set_pedal(self, channel: Channel, value: int) -> None:
        channel.pedal = value >= 64
        self._hub.perform(channel.hand, m.External("pedal", value / 127))
        if channel.pedal:
            return
        for other in list(self._channels.values()):  # a zone's master holds the notes of its members too
            if not (other.pedal or self._master_of(other).pedal):
                for key in sorted(other.hung):
                    self._end(other, key, 64 / 127)

    def _all_off(self, channel: Channel) -> None:
        zone = self._zone_of(channel)
        whole_zone = zone is not None and channel.number == zone.master
        for other in list(self._channels.values()):
            if other is channel or (whole_zone and self._zone_of(other) is zone):
                for key in sorted(other.sounding):
                    self._end(other, key, 64 / 127)

    def _reset_controllers(self, channel: Channel) -> None:
        channel.reset_controllers()
        self._tell_bend(channel)
        self._tell_pressure(channel)
        self._tell_timbre(channel)
        self._hub.perform(channel.hand, m.External("wheel", 0.0))
        self._set_pedal(channel, 0)

    def _panic(self) -> None:
        now = self._now_s()
        if now - self._panicked >= PANIC_REST_S:
            self._panicked = now
            self._hub.perform(self._hand, m.Panic())

    def _program(self, channel: Channel, number: int) -> None:
        presets = self._hub.library().get("presets", [])
        if number < len(presets):
            self._hub.perform(channel.hand, m.PresetLoad(presets[number]["name"]))

    def _data_entry(self, channel: Channel, number: int, value: int) -> None:
        if channel.rpn == (0, 0):
            whole, cents = int(channel.bend_range), channel.bend_range % 1.0
            asked = value + cents if number == DATA_MSB else whole + min(value, 99) / 100
            zone = self._zone_of(channel)
            members = zone is not None and channel.number != zone.master
            numbers = zone.members if zone is not None and members else (channel.number,)
            for member in numbers:
                self._channel(member).bend_range = min(float(asked), 96.0)
        elif channel.rpn == (0, 6) and number == DATA_MSB and channel.number in (1, 16):
            self._set_zone(channel.number, min(value, 15))

    # MPE

    def _set_zone(self, master: int, count: int) -> None:
        """Make, change or (0 members) end a zone; the other one gives up channels that this one takes."""
        self.release()
        self._zones.pop(master, None)
        other = self._zones.pop(17 - master, None)
        if count:
            self._zones[master] = Zone.of(master, count)
        if other is not None:
            left = min(len(other.members), 14 - count if count else 15)
            if left > 0:
                self._zones[other.master] = Zone.of(other.master, left)
        members = {number for zone in self._zones.values() for number in zone.members}
        for number in range(1, 17):
            self._channel(number).bend_range = MEMBER_BEND_RANGE if number in members else BEND_RANGE

    def _zone_of(self, channel: Channel) -> Zone | None:
        for zone in self._zones.values():
            if channel.number == zone.master or channel.number in zone.members:
                return zone
        return None

    def _master_of(self, channel: Channel) -> Channel:
        zone = self._zone_of(channel)
        return channel if zone is None else self._channel(zone.master)

    def _bend_of(self, channel: Channel, zone: Zone) -> float:
        master = self._channel(zone.master)
        own = 0.0 if channel is master else channel.bend_semitones
        return min(max(own + master.bend_semitones, -96.0), 96.0)

    def _pressure_of(self, channel: Channel, zone: Zone) -> float:
        return max(channel.pressure, self._channel(zone.master).pressure)

    def _timbre_of(self, channel: Channel, zone: Zone) -> float:
        master = self._channel(zone.master)
        own = 0.5 if channel is master else channel.timbre
        return min(max(own + master.timbre - 0.5, 0.0), 1.0)

    def _tell_bend(self, channel: Channel) -> None:
        zone = self._zone_of(channel)
        if zone is None:
            self._hub.perform(channel.hand, m.Bend(channel.bend_semitones))
        else:
            self._tell_notes(channel, zone, lambda c, key: m.Bend(self._bend_of(c, zone), key))

    def _tell_pressure(self, channel: Channel) -> None:
        zone = self._zone_of(channel)
        if zone is None:
            self._hub.perform(channel.hand, m.Pressure(channel.pressure))
        else:
            self._tell_notes(channel, zone, lambda c, key: m.Pressure(self._pressure_of(c, zone), key))

    def _tell_timbre(self, channel: Channel) -> None:
        zone = self._zone_of(channel)
        if zone is None:
            self._hub.perform(channel.hand, m.Timbre(channel.timbre))
        else:
            self._tell_notes(channel, zone, lambda c, key: m.Timbre(self._timbre_of(c, zone), key))

    def _tell_notes(self, channel: Channel, zone: Zone, message: Callable[[Channel, int], m.Message]) -> None:
        """To each note that `channel` speaks for: its own, or, from the master, all of the zone's."""
        everybody = channel.number == zone.master
        for other in list(self._channels.values()):
            if other is channel or (everybody and other.number in zone.members):
                for key in sorted(other.sounding):
                    self._hub.perform(other.hand, message(other, key))
