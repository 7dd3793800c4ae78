// What this page gathers for a new instrument: recordings and files on their way to a set of sounds.

import { make } from "./dom.js";
import { toast } from "./toasts.js";
import { WavRecorder } from "./wav-recorder.js";

const MAX_BYTES = 2 ** 30;
const NEW = ""; // no set yet: the first sound makes one

export class Gathering {
  constructor(store) {
    this.store = store;
    this.recorder = new WavRecorder();
    this.recorder.onFull = () => this.stop();
    this.seen = NEW; // the set that was last found
    this.chosen = null; // a set's id, NEW, or null: the latest there is
    this.title = "";
    this.minutes = 30;
    this.sending = 0;
    this.unsent = []; // recordings that did not arrive: {file, name}
    addEventListener("beforeunload", (event) => {
      if (this.recorder.active || this.unsent.length) event.preventDefault();
    });
  }

  // The set that is shown, null for one that is to be.
  get set() {
    const { sets } = this.store.library.material;
    const found = sets.find((one) => one.id === this.chosen);
    if (found) this.seen = found.id;
    else if (this.chosen && this.chosen === this.seen) this.chosen = null; // it was deleted
    return found || (this.chosen === null && sets[sets.length - 1]) || null;
  }

  choose(id) {
    this.chosen = id;
    this.title = "";
  }

  async record() {
    try {
      await this.recorder.start();
    } catch (error) {
      toast(error.message, "warn");
      await this.recorder.stop();
    }
    this.store.emit("library");
  }

  async stop() {
    const file = await this.recorder.stop();
    this.store.emit("library");
    if (!file) return toast("Nothing came from the microphone.", "warn");
    const now = new Date();
    const clock = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => String(n).padStart(2, "0")).join(".");
    await this.deliver({ file, name: `Recording ${clock}.wav` });
  }

  browse() {
    const input = make("input", { type: "file", accept: "audio/*", multiple: true });
    input.addEventListener("change", () => this.add(input.files));
    input.click();
  }

  async add(files) {
    for (const file of files) {
      if (file.size > MAX_BYTES) toast(`${file.name} is larger than 1 GiB: cut it first.`, "error");
      else await this.send(file, file.name);
    }
  }

  // A recording is nowhere else: until it has arrived, the page keeps it.
  async deliver(recording) {
    this.unsent = this.unsent.filter((other) => other !== recording);
    if (!(await this.send(recording.file, recording.name))) this.unsent.push(recording);
    this.store.emit("library");
  }

  async send(file, name) {
    const { set } = this;
    const id = set ? set.id : this.chosen || NEW; // the list may not have arrived yet
    const query = new URLSearchParams({ name: name.slice(-60), set: id, title: this.title || "My instrument" });
    this.sending += 1;
    this.store.emit("library");
    try {
      const answer = await fetch(`material?${query}`, { method: "POST", body: file });
      const told = await answer.json().catch(() => ({ error: `${name} was not taken.` }));
      if (told.error) toast(told.error, "error");
      else this.chosen = told.set;
      return !told.error;
    } catch {
      toast(`${name} did not reach the player.`, "error");
      return false;
    } finally {
      this.sending -= 1;
      this.store.emit("library");
    }
  }
}
