"""What a panel would be told in some situations, as the display gets it."""

from typing import Any

LABELS = (
    ("loudness", "Loudness", "dB"),
    ("brightness", "Brightness", "Hz"),
    ("boominess", "Boominess", ""),
    ("noisiness", "Noisiness", ""),
    ("pitch", "Pitch", "Hz"),
)
INSTRUMENT: dict[str, Any] = {
    "name": "winds",
    "title": "Winds",
    "pitched": True,
    "controls": [{"name": name, "label": label, "unit": unit} for name, label, unit in LABELS],
}
STATE: dict[str, Any] = {
    "latched": True,
    "gate": True,
    "source": "hold",
    "anchor": 11,
    "clip": "",
    "asked": {"brightness": 0.4},
    "numbers": {"morph": 0.0},
    "preset": None,
    "dirty": False,
    "morph": None,
    "transport": False,
    "recording": None,
    "learn": "",
}
TELEMETRY: dict[str, Any] = {
    "asked": [0.2, 0.4, -0.3, -0.8, 0.0],
    "asked_physical": [-20.0, 1200.0, 5.0, 0.02, 220.0],
    "measured": [0.1, 0.5, -0.28, -0.6, 0.0],
    "measured_physical": [-21.4, 1310.0, 5.6, 0.041, 219.0],
    "reachable_low": [-1.0, -0.4, -0.9, -1.0, -1.0],
    "reachable_high": [0.9, 0.9, 0.1, 0.3, 1.0],
    "measuring": True,
    "f0_hz": 221.3,
    "level_db": -14.0,
    "peak": 0.5,
    "gate": True,
    "voices": 1,
    "tempo_bpm": 100.0,
    "map": [0.25, 0.7],
    "input_level_db": -23.4,
    "status": {"running": True, "dropped": 0, "why": ""},
}

SCENES: dict[str, tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]] = {
    "play": (STATE, TELEMETRY, INSTRUMENT),
    "preset_recording_dropped": (
        STATE
        | {"preset": "Slow reed at dawn", "dirty": True, "recording": {"seconds": 83.2, "name": "take 3"}}
        | {"source": "map", "numbers": {"morph": 0.4}, "asked": {}},
        TELEMETRY | {"voices": 3, "peak": 1.0, "level_db": -3.0, "status": {"running": True, "dropped": 12}},
        INSTRUMENT,
    ),
    "morph_live_clock": (
        STATE
        | {"morph": {"a": "Slow reed", "b": "Broken bottle", "position": 0.35}, "source": "live"}
        | {"transport": True, "gate": False},
        TELEMETRY | {"gate": False, "measuring": False, "level_db": -70.0, "f0_hz": 0.0},
        INSTRUMENT,
    ),
    "clip": (
        STATE | {"source": "clip", "clip": "sax alto bb2 f rr2 dnm"},
        TELEMETRY,
        INSTRUMENT | {"pitched": False, "title": "Überlange Töne 東京 and more of them"},
    ),
    "touched_short": (
        STATE | {"touched": {"name": "life", "value": 0.3, "text": "0.30"}},
        TELEMETRY,
        INSTRUMENT,
    ),
    "touched_long": (
        STATE | {"touched": {"name": "lfo2_division", "value": 0.44, "text": "1/4 of a bar"}},
        TELEMETRY,
        INSTRUMENT,
    ),
    "touched_control": (
        STATE | {"touched": {"name": "brightness", "value": 0.7, "text": "1240 Hz"}},
        TELEMETRY,
        INSTRUMENT,
    ),
    "kept": (STATE | {"kept": {"seconds": 12.34, "title": "Winds 14:03"}}, TELEMETRY, INSTRUMENT),
    "learn": (STATE | {"learn": "brightness"}, TELEMETRY, INSTRUMENT),
    "starting": (STATE, None, INSTRUMENT),
    "fault": (
        STATE,
        TELEMETRY
        | {"status": {"running": False, "why": "The sound card was unplugged: plug it in again, or choose "
                      "another one with --device; Neurorack looks for it every two seconds."}},
        INSTRUMENT,
    ),
}  # fmt: skip
"""Name of a golden picture -> the arguments of render_display."""
