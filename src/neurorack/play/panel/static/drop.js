// Files for the player: a sound becomes a clip (on the page Make: material), a .scl a tuning, a .nrk an instrument.
// Dropped anywhere, or chosen.

import { $, make, write } from "./dom.js";
import { toast } from "./toasts.js";

const MAX_BYTES = 64 * 2 ** 20;
const making = () => $("face").dataset.page === "make";

export function listenForDrops(store, gathering) {
  const veil = $("drop-veil");
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    write(veil.firstElementChild, making() ? "Drop sounds: an instrument is made of them" : "Drop a sound: it becomes a clip");
    veil.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    veil.hidden = depth === 0;
  });
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    const files = [...event.dataTransfer.files];
    const sounds = making() ? files.filter((file) => !/\.(scl|nrk)$/i.test(file.name)) : [];
    gathering.add(sounds);
    take(store, files.filter((file) => !sounds.includes(file)));
  });
}

export function browseForSound(store) {
  const input = make("input", { type: "file", accept: "audio/*,.scl,.nrk", multiple: true });
  input.addEventListener("change", () => take(store, input.files));
  input.click();
}

async function take(store, files) {
  for (const file of [...files].slice(0, 16)) {
    if (file.size > MAX_BYTES) {
      toast(`${file.name} is larger than 64 MiB: cut it first.`, "error");
      continue;
    }
    const [, stem, ending] = file.name.match(/^(.*?)(\.[^.]*)?$/);
    const where = { ".scl": "tunings", ".nrk": "instruments" }[(ending || "").toLowerCase()] || "sounds";
    try {
      if (where === "sounds") toast(`${stem} is on its way …`, "info", 3);
      const answer = await fetch(`${where}?name=${encodeURIComponent(stem.slice(0, 60))}`, { method: "POST", body: file });
      if (!answer.ok) {
        toast((await answer.text()).trim() || `${file.name} was not taken.`, "error");
        continue;
      }
      const told = await answer.json().catch(() => ({}));
      if (where === "sounds" && told.id) {
        store.send({ type: "clip", id: told.id });
        store.send({ type: "source", value: "clip" });
      } else if (where === "tunings") toast(`${stem} is among the tunings now.`);
      else if (where === "instruments") toast(`${stem} is among the instruments now.`);
    } catch {
      toast(`${file.name} did not reach the player: try again.`, "error");
    }
  }
}
