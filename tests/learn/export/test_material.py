"""What an instrument carries of its corpus."""

from dataclasses import dataclass

from neurorack.learn.corpus import CorpusFile
from neurorack.learn.export.material import CLIPS, choose_clips


@dataclass
class Shelves:
    """A corpus as far as clips are chosen from it."""

    files: list[CorpusFile]

    def split(self, name: str) -> list[CorpusFile]:
        return [file for file in self.files if file.split == name]


def recording(path: str, frames: int) -> CorpusFile:
    return CorpusFile(path, path, "train", 0, 128 * frames, 0, frames, frames / 344.5)


def test_folders_of_folders_take_turns_however_little_they_hold() -> None:
    horns = [recording(f"horns/{kind}/{i}.wav", 2000) for kind in "abcdefghij" for i in range(4)]
    drums = [recording(f"drums/{kind}/{i}.wav", 50) for kind in "ab" for i in range(4)]
    voice = [recording(f"voice/{i}.wav", 300) for i in range(9)]
    chosen = choose_clips(Shelves([*horns, *drums, *voice]))  # type: ignore[arg-type]
    assert len(chosen) == CLIPS == len({file.path for file in chosen})
    assert [file.shelf for file in chosen[:3]] == ["horns", "voice", "drums"]
    assert {file.shelf for file in chosen[3:5]} == {"horns", "drums"}
    # Flat folders take turns as they always did: the one that holds most comes first.
    flat = choose_clips(Shelves([recording(f"{kind}/{i}.wav", 100 + i) for kind in "ab" for i in range(9)]))  # type: ignore[arg-type]
    assert [file.shelf for file in flat] == ["a", "b"] * 4
