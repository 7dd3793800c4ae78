"""Overview: the whole session as those who listen are told of it, in plain JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control.midi.learn import MidiMap
from neurorack.play.control.tuning import tunings
from neurorack.play.engine.params import MOD_SOURCES, ROUTE_CURVES
from neurorack.play.session.catalogue import Catalogue
from neurorack.play.session.clip_bank import ClipBank
from neurorack.play.session.description import specs
from neurorack.play.session.diary import Diary
from neurorack.play.session.display import Display
from neurorack.play.session.editor import Editor
from neurorack.play.session.gathering import Gathering
from neurorack.play.session.performance import Performance
from neurorack.play.session.recordings import Recordings


@dataclass
class Overview:
    """Looks at the session's parts and changes none of them."""

    supervisor: Supervisor
    catalogue: Catalogue
    midi_map: MidiMap
    performance: Performance
    editor: Editor
    clips: ClipBank
    recordings: Recordings
    gathering: Gathering
    display: Display
    diary: Diary
    instrument: dict[str, Any] = field(default_factory=dict)
    """The description of the instrument in use."""
    tunings: list[str] = field(default_factory=tunings)
    """Names of the tunings there are."""

    def hello(self, note: str) -> dict[str, Any]:
        """Everything a panel that arrives must know; `note`: about the sound's way."""
        name = self.instrument["name"]
        return {
            "instrument": self.instrument,
            "instruments": self.catalogue.rows(),
            "params": specs(),
            "mod_sources": list(MOD_SOURCES),
            "route_curves": list(ROUTE_CURVES),
            "state": self.state(),
            "library": self.library(),
            "known": self.diary.known(),
            "display": self.display.present()["bits"],
            "status": asdict(self.supervisor.status) | {"instrument": name, "note": note},
        }

    def state(self) -> dict[str, Any]:
        """The performance."""
        return {
            **self.editor.patch.as_dict(),
            **self.performance.as_dict(),
            **self.editor.as_dict(),
            "recording": self.recordings.as_dict(),
            "making": self.gathering.as_dict(),
            "learn": self.midi_map.armed,
            "learned": self.midi_map.learned(),
        }

    def library(self) -> dict[str, Any]:
        """Clips, presets, tunings, takes and sets of sounds there are."""
        return {
            "clips": self.clips.rows(),
            "presets": self.editor.presets.rows(),
            "tunings": self.tunings,
            "takes": self.recordings.rows(),
            "material": self.gathering.rows(),
        }
