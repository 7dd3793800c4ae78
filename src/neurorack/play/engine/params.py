"""Every number of a performance that is not a descriptor, as ControlSpecs in one order.

The same table serves knobs, switches, MIDI learn, OSC addresses, CV, presets, the modulation matrix and
validation. A ControlFrame has one field of each name; its value is in the spec's unit (a switch: an index).
"""

from neurorack.core.control_spec import ControlSpec, switch

DIVISIONS = ("free", "4 bars", "2 bars", "1 bar", "1/2", "1/4", "1/8", "1/8 t", "1/16", "1/32")
"""Clock divisions; "free" runs in seconds (or, for the gate, is off)."""
BEATS = (0.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 1.0 / 3.0, 0.25, 0.125)
"""Length of each division in beats (quarter notes)."""
LFO_SHAPES = ("sine", "triangle", "ramp up", "ramp down", "square")

VOICE_MODES = ("legato", "retrigger", "poly")
MONO_LEGATO, MONO_RETRIGGER, POLY = range(3)
CLIP_MODES = ("loop", "one shot", "scrub", "freeze")
CLIP_LOOP, CLIP_ONE_SHOT, CLIP_SCRUB, CLIP_FREEZE = range(4)
MAP_MOTIONS = ("point", "orbit", "path")
MAP_POINT, MAP_ORBIT, MAP_PATH = range(3)

GOES_ON = ("off", "until a key", "1 bar", "2 bars", "4 bars", "8 bars")
GOES_ON_BEATS = (0.0, float("inf"), 4.0, 8.0, 16.0, 32.0)
"""How long the prior goes on when the last key is let go, in beats."""

LFOS, ENVELOPES, RANDOMS = 4, 2, 2


def _sound() -> list[ControlSpec]:
    spec = ControlSpec
    return [
        spec("insist", "Insist", "", 0.0, 1.0, 1.0, group="sound",
             about="0: the other descriptors move along as in the recordings; 1: each stays on its own."),
        spec("morph", "Morph", "", 0.0, 1.0, 0.0, group="sound", smoothing_s=0.02,
             about="From the source's tone (0) to the second tone (1)."),
        spec("life", "Life", "", 0.0, 1.0, 0.3, group="sound",
             about="How much every trigger and every held tone differs from the last; 0: all alike."),
        spec("width", "Width", "", 0.0, 1.0, 0.0, group="sound",
             about="Stereo: left and right decode slightly different codes; 0 is mono."),
        spec("level_db", "Level", "dB", -60.0, 6.0, 0.0, group="sound", smoothing_s=0.03,
             about="Output level."),
    ]  # fmt: skip


def _voice() -> list[ControlSpec]:
    spec = ControlSpec
    return [
        switch("voice_mode", "Voices", VOICE_MODES, group="voice",
               about="Legato and retrigger are monophonic; poly gives every key a voice."),
        spec("voices", "Polyphony", "", 1.0, 4.0, 4.0, whole=True, group="voice",
             about="Most voices that sound together in poly."),
        spec("velocity", "Velocity", "", 0.0, 1.0, 1.0, group="voice",
             about="Velocity of the gate button and of gates without one."),
        spec("dynamics", "Dynamics", "", 0.0, 1.0, 1.0, group="voice",
             about="How far velocity chooses the dynamic layer; 0: every note equally loud."),
        spec("glide_s", "Glide", "s", 0.0, 2.0, 0.0, group="voice",
             about="Time from one pitch to the next in a legato."),
        spec("attack_s", "Attack", "s", 0.002, 2.0, 0.008, "log", group="voice", about="Time to open."),
        spec("release_s", "Release", "s", 0.01, 8.0, 0.15, "log", group="voice",
             about="Time to fall by 60 dB."),
        spec("tune_cents", "Tune", "ct", -100.0, 100.0, 0.0, group="voice", about="Of all notes."),
    ]  # fmt: skip


def _sources() -> list[ControlSpec]:
    spec = ControlSpec
    return [
        spec("wander_rate_hz", "Rate", "Hz", 0.01, 8.0, 0.25, "log", group="wander",
             about="Tones passed per second."),
        spec("wander_depth", "Depth", "", 0.0, 1.0, 1.0, group="wander",
             about="0 stays at home, 1 goes all the way to every tone on the path."),
        switch("clip_mode", "Play", CLIP_MODES, group="clip", about="How a clip is read."),
        spec("clip_speed", "Speed", "×", -2.0, 2.0, 1.0, group="clip",
             about="1 as recorded, 0 frozen, negative backwards."),
        spec("clip_start", "Start", "", 0.0, 1.0, 0.0, group="clip", about="Start of the region."),
        spec("clip_end", "End", "", 0.0, 1.0, 1.0, group="clip", about="End of the region."),
        spec("clip_position", "Place", "", 0.0, 1.0, 0.0, group="clip", smoothing_s=0.02,
             about="Where scrub and freeze read, as a fraction of the region."),
        switch("map_motion", "Motion", MAP_MOTIONS, group="map", about="How the place on the map moves."),
        spec("map_x", "X", "", 0.0, 1.0, 0.5, group="map", smoothing_s=0.02, about="Place on the map."),
        spec("map_y", "Y", "", 0.0, 1.0, 0.5, group="map", smoothing_s=0.02, about="Place on the map."),
        spec("map_radius", "Radius", "", 0.0, 0.5, 0.12, group="map", about="Of the orbit."),
        spec("map_rate_hz", "Rate", "Hz", 0.01, 8.0, 0.2, "log", group="map",
             about="Rounds of the orbit or of the path per second."),
        spec("input_gain_db", "Input", "dB", -40.0, 40.0, 0.0, group="live", about="Gain of the input."),
        spec("feedback", "Feedback", "", 0.0, 1.0, 0.0, group="live",
             about="The instrument's own sound fed to its input, kept from running away."),
        spec("feedback_delay_s", "Delay", "s", 0.01, 1.0, 0.12, "log", group="live",
             about="Of the feedback."),
        spec("other_speed", "Speed", "×", -2.0, 2.0, 1.0, group="other",
             about="Of the other sound that gives descriptors."),
    ]  # fmt: skip


def _clock() -> list[ControlSpec]:
    spec = ControlSpec
    return [
        spec("tempo_bpm", "Tempo", "bpm", 20.0, 300.0, 100.0, group="clock", about="Beats per minute."),
        switch("gate_division", "Gate", ("off", *DIVISIONS[1:]), group="clock",
               about="The clock plays the gate at this division while something is held."),
        spec("gate_length", "Length", "", 0.02, 1.0, 0.5, group="clock", about="Of the clocked gate."),
    ]  # fmt: skip


def _lfo(n: int) -> list[ControlSpec]:
    group = f"lfo{n}"
    return [
        switch(f"lfo{n}_shape", "Shape", LFO_SHAPES, group=group),
        ControlSpec(f"lfo{n}_rate_hz", "Rate", "Hz", 0.01, 40.0, (0.2, 5.0, 1.0, 0.05)[n - 1], "log",
                    group=group),
        switch(f"lfo{n}_division", "Clock", DIVISIONS, group=group,
               about="A division of the clock instead of the rate."),
        ControlSpec(f"lfo{n}_phase", "Phase", "", 0.0, 1.0, 0.0, group=group),
    ]  # fmt: skip


def _envelope(n: int) -> list[ControlSpec]:
    group = f"env{n}"
    return [
        ControlSpec(f"env{n}_attack_s", "Attack", "s", 0.002, 8.0, 0.01, "log", group=group),
        ControlSpec(f"env{n}_decay_s", "Decay", "s", 0.005, 8.0, 0.3, "log", group=group),
        ControlSpec(f"env{n}_sustain", "Sustain", "", 0.0, 1.0, 0.0, group=group),
        ControlSpec(f"env{n}_release_s", "Release", "s", 0.005, 8.0, 0.3, "log", group=group),
    ]


def _random(n: int) -> list[ControlSpec]:
    group = f"rand{n}"
    return [
        ControlSpec(f"rand{n}_rate_hz", "Rate", "Hz", 0.01, 40.0, (1.0, 8.0)[n - 1], "log", group=group),
        switch(f"rand{n}_division", "Clock", DIVISIONS, group=group,
               about="A division of the clock instead of the rate."),
        ControlSpec(f"rand{n}_smooth", "Smooth", "", 0.0, 1.0, (1.0, 0.0)[n - 1], group=group,
                    about="0 steps, 1 glides all the way."),
    ]  # fmt: skip


def _follower() -> list[ControlSpec]:
    return [
        ControlSpec("follower_attack_s", "Attack", "s", 0.002, 1.0, 0.01, "log", group="follower"),
        ControlSpec("follower_release_s", "Release", "s", 0.01, 4.0, 0.2, "log", group="follower"),
        ControlSpec("follower_gain_db", "Gain", "dB", -20.0, 40.0, 6.0, group="follower"),
    ]


def _prior() -> list[ControlSpec]:
    return [
        ControlSpec("surprise", "Surprise", "", 0.0, 2.0, 1.0, group="prior",
                    about="How bold the prior plays: 0 its commonest way, 1 as the recordings, 2 beyond."),
        switch("prior_clock", "Time", ("free", "clock"), group="prior",
               about="Whether the prior hears the beat of the clock."),
        switch("prior_goes_on", "Continue me", GOES_ON, group="prior",
               about="When the last key is let go, the prior goes on from what you played."),
        switch("prior_answers", "Answer me", ("off", "on"), group="prior",
               about="The prior listens to the input, and answers when that falls silent."),
        ControlSpec("prior_breath_s", "Breath", "s", 0.2, 60.0, 60.0, "log", group="prior",
                    about="The longest that one of the prior's notes lasts; 60: as long as it likes."),
    ]  # fmt: skip


PARAMS: tuple[ControlSpec, ...] = (
    *_sound(),
    *_voice(),
    *_sources(),
    *_clock(),
    *(spec for n in range(LFOS) for spec in _lfo(n + 1)),
    *(spec for n in range(ENVELOPES) for spec in _envelope(n + 1)),
    *(spec for n in range(RANDOMS) for spec in _random(n + 1)),
    *_follower(),
    *_prior(),
)
"""Every parameter, in the order of ControlFrame's fields and of the modulation matrix' targets; new ones
come last, so that takes keep their targets."""

PARAM_NAMES = tuple(spec.name for spec in PARAMS)
PARAM_INDEX = {name: i for i, name in enumerate(PARAM_NAMES)}
PARAM_BY_NAME = {spec.name: spec for spec in PARAMS}

MOD_SOURCES: tuple[str, ...] = (
    "none",
    *(f"lfo{n + 1}" for n in range(LFOS)),
    *(f"env{n + 1}" for n in range(ENVELOPES)),
    *(f"rand{n + 1}" for n in range(RANDOMS)),
    "follower",
    "velocity",
    "note",
    "pressure",
    "timbre",
    "wheel",
    "pedal",
    "x",
    "y",
    "cv1",
    "cv2",
    "cv3",
    "cv4",
)
"""LFOs, random and cv -1..1; note: octaves from C4 / 5, -1..1; all others 0..1."""
MOD_INDEX = {name: i for i, name in enumerate(MOD_SOURCES)}
EXTERNALS: tuple[str, ...] = MOD_SOURCES[MOD_INDEX["wheel"] :]
"""Sources that come from outside as events (EXTERNAL, by their index in MOD_SOURCES)."""

ROUTES = 16
"""Slots of the modulation matrix."""
ROUTE_CURVES = ("linear", "square", "root", "s", "steps")
CONTROL_TARGET = 1000
"""Route targets from here on are descriptor controls: CONTROL_TARGET + row; below, indices of PARAMS."""
