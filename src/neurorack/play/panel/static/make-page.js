// A new instrument: record or add sounds, see what they will make, have it made, play it.

import { button, fillSelect, make, mark, write } from "./dom.js";
import { durationText } from "./format.js";
import { toast } from "./toasts.js";
import { LONGEST_S } from "./wav-recorder.js";

const NEAR_END_S = 60;
const DO = { prepare: "Listening to the sounds", train: "Learning", export: "Writing the instrument", measure: "Trying it out" };
const NONE = "Record a minute, or add sounds: a voice, a drum, a kitchen. What is alike makes a better instrument than what is not.";

const totalText = (seconds) => (seconds < 3600 ? durationText(seconds) : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`);

export class MakePage {
  constructor(store, gathering) {
    this.store = store;
    this.gathering = gathering;
    this.recorder = gathering.recorder;
    this.sets = make("select", { class: "pick", id: "make-sets", "aria-label": "Instrument to be" });
    this.sets.addEventListener("change", () => gathering.choose(this.sets.value));
    this.record = make("button", { type: "button", class: "chip record", id: "make-record", "aria-pressed": "false" }, make("i"), (this.recordText = make("span", { text: "Record" })));
    this.record.addEventListener("click", () => (this.recorder.active ? gathering.stop() : gathering.record()));
    this.level = make("i");
    this.meter = make("div", { class: "input-level make-level", role: "meter", "aria-label": "Microphone", "aria-valuemin": "-60", "aria-valuemax": "0" }, this.level);
    this.files = button("Add sound files …", () => gathering.browse(), { id: "make-files", title: "Or drop them on this page" });
    this.tools = make("div", { class: "row make-tools" }, this.record, this.files, this.meter);
    this.list = make("ul", { class: "sound-list", "aria-label": "Sounds gathered" });
    this.unsent = make("div", { class: "make-unsent" });
    this.expect = make("p", { class: "make-expect", id: "make-expect", "aria-live": "polite" });
    this.near = make("p", { class: "about make-near", "aria-live": "polite" });
    this.title = make("input", { type: "text", class: "field", id: "make-title", placeholder: "My instrument", maxlength: "50", "aria-label": "Name of the instrument", value: gathering.title });
    this.title.addEventListener("change", () => this.rename());
    this.minutes = make("input", { type: "number", class: "field", id: "make-minutes", min: "1", max: "10080", step: "1", value: gathering.minutes, "aria-label": "Minutes to learn" });
    this.minutes.addEventListener("change", () => (gathering.minutes = Math.max(1, Math.min(10080, Math.round(Number(this.minutes.value)) || 30))));
    this.go = button("Make the instrument", () => this.begin(), { id: "make-go", class: "chip make-go" });
    this.halt = button("Stop", () => store.send({ type: "make_stop" }), { id: "make-stop" });
    this.play = button("Play it", () => this.playIt(), { id: "make-play", class: "chip make-go" });
    this.remove = button("Delete all of it", () => this.arm(this.remove, "Really delete?", () => store.send({ type: "material_delete", set: gathering.set.id, name: "" })), { class: "chip danger" });
    this.stage = make("b");
    this.share = make("span", { class: "dim" });
    this.bar = make("i");
    this.line = make("p", { class: "make-line" });
    this.said = make("p", { class: "about" });
    this.progress = make("div", { class: "make-progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": "Making" },
      make("div", { class: "make-stage" }, this.stage, this.share), make("div", { class: "make-bar" }, this.bar), this.line, this.said);
    this.note = make("p", { class: "about" });
    this.fault = make("p", { class: "make-fault" });
    this.copies = make("div", { class: "make-copies" });
    this.nodes = [
      make("div", { class: "make-main" },
        make("div", { class: "make-head" }, make("h2", { text: "A new instrument" }), this.sets),
        this.tools, this.near, this.unsent, this.list, this.expect),
      make("div", { class: "make-side" },
        make("h2", { text: "Make it" }),
        make("label", { class: "make-field" }, make("span", { text: "Name" }), this.title),
        (this.minutesRow = make("label", { class: "make-field" }, make("span", { text: "Minutes to learn" }), this.minutes)),
        this.progress, this.fault, this.note, this.copies,
        make("div", { class: "row" }, this.go, this.play, this.halt, this.remove)),
    ];
  }

  // Whether more sounds would come too late.
  closed() {
    const { set } = this.gathering;
    const { making } = this.store.state;
    return Boolean(set && (set.begun || set.instrument || (making && making.set === set.id)));
  }

  rename() {
    const { set } = this.gathering;
    const title = this.title.value.trim();
    this.gathering.title = title;
    if (set && title && title !== set.title) this.store.send({ type: "material_title", set: set.id, title });
  }

  begin() {
    const { set } = this.gathering;
    if (!set) return;
    this.rename();
    this.store.send({ type: "make", set: set.id, minutes: set.begun ? set.minutes : this.gathering.minutes });
  }

  playIt() {
    const { set } = this.gathering;
    if (set && set.instrument) this.store.send({ type: "instrument", name: set.instrument });
  }

  // The first press asks, the second does it.
  arm(node, question, act) {
    if (node.classList.contains("armed")) return act();
    const text = node.textContent;
    node.classList.add("armed");
    write(node, question);
    setTimeout(() => {
      node.classList.remove("armed");
      write(node, text);
    }, 3000);
  }

  rows(set) {
    const sounds = set ? [...set.sounds].reverse() : [];
    const rows = sounds.map((sound) => {
      const remove = make("button", { type: "button", class: "close", text: "×", "aria-label": `Delete ${sound.name}` });
      remove.addEventListener("click", () => this.arm(remove, "Delete?", () => this.store.send({ type: "material_delete", set: set.id, name: sound.name })));
      remove.hidden = this.closed();
      return make("li", { "data-sound": sound.name }, make("span", { class: "sound-name", text: sound.name, title: sound.name }), make("span", { class: "dim", text: totalText(sound.seconds) }), remove);
    });
    if (this.gathering.sending) rows.unshift(make("li", { class: "pending" }, make("span", { text: "A sound is on its way …" })));
    this.list.replaceChildren(...rows);
    this.list.hidden = !rows.length;
    this.unsent.replaceChildren(...this.gathering.unsent.map((recording) => {
      const link = make("a", { class: "chip", href: URL.createObjectURL(recording.file), download: recording.name, text: "Save it here" });
      return make("div", { class: "row" }, make("span", { class: "grow", text: `${recording.name} has not arrived.` }), button("Send it again", () => this.gathering.deliver(recording)), link);
    }));
  }

  copyRows(set) {
    const { material } = this.store.library;
    if (material.able) return this.copies.replaceChildren();
    const line = (about, text) => {
      const field = make("input", { type: "text", class: "field", value: text, "aria-label": about });
      field.readOnly = true;
      field.addEventListener("focus", () => field.select());
      const copy = button("Copy", async () => {
        field.select();
        try {
          await navigator.clipboard.writeText(text);
        } catch {
          document.execCommand("copy"); // pages of other machines have no clipboard
        }
        toast("Copied.", "info", 2);
      });
      return make("div", { class: "make-copy" }, make("span", { text: about }), field, copy);
    };
    this.copies.replaceChildren(
      make("p", { class: "about", text: "The half of Neurorack that learns is not installed here. Install it and start the player again:" }),
      line("Install", material.install),
      ...(set && set.command ? [make("p", { class: "about", text: "Or, where it is installed already, in a terminal:" }), line("Make it", set.command.replace(/--minutes \S+/, `--minutes ${this.gathering.minutes}`))] : []),
    );
  }

  drawRecorder() {
    const { recorder } = this;
    mark(this.record, "aria-pressed", recorder.active);
    write(this.recordText, recorder.active ? `Stop ${durationText(recorder.seconds)}` : "Record");
    this.meter.hidden = !recorder.active;
    if (recorder.active) {
      recorder.level *= 0.96;
      const db = Math.max(-60, 20 * Math.log10(recorder.level + 1e-6));
      this.level.style.width = `${100 * (1 + db / 60)}%`;
      this.level.classList.toggle("hot", db > -1);
      mark(this.meter, "aria-valuenow", Math.round(db));
    }
    const left = LONGEST_S - recorder.seconds;
    this.near.hidden = !(recorder.active && left < NEAR_END_S);
    if (!this.near.hidden) write(this.near, `A recording lasts ${LONGEST_S / 60} minutes at most: ${Math.ceil(left)} s left. Then it is added, and you can go on with another.`);
  }

  drawProgress(making, set) {
    const mine = making && set && making.set === set.id;
    this.progress.hidden = this.halt.hidden = !mine;
    if (!mine) return;
    const [, number, count, name] = (making.step || "").match(/^(\d+)\/(\d+) (\w+)/) || [];
    const share = Math.round(100 * (making.share || 0));
    write(this.stage, DO[name] || "Starting …");
    write(this.share, number ? `step ${number} of ${count}, ${share} %` : "");
    this.bar.style.width = `${share}%`;
    mark(this.progress, "aria-valuenow", share);
    write(this.line, making.line || "");
    write(this.said, (making.said || "").replace(/: distance .*/, ".")); // the figure is for those who train
  }

  draw() {
    const { store, gathering } = this;
    const { material } = store.library;
    const { making } = store.state;
    const { set } = gathering;
    const key = JSON.stringify([material, gathering.sending, gathering.unsent.length, set && set.id, this.closed(), gathering.minutes]);
    if (key !== this.shown) {
      this.shown = key;
      this.rows(set);
      this.copyRows(set);
    }
    const rows = [...material.sets].reverse().map((one) => [one.id, one.instrument ? `${one.title} (made)` : one.title]);
    fillSelect(this.sets, [...rows, ["", "Another instrument …"]], set ? set.id : "");
    this.sets.hidden = !material.sets.length;
    this.drawRecorder();
    const closed = this.closed();
    this.tools.hidden = closed && !this.recorder.active;
    write(this.expect, set && set.expect ? set.expect : NONE);
    if (document.activeElement !== this.title) {
      const title = set ? set.title : gathering.title;
      if (this.title.value !== title) this.title.value = title;
    }
    this.title.disabled = closed;
    if (document.activeElement !== this.minutes) this.minutes.value = set && set.begun ? set.minutes : gathering.minutes;
    this.minutes.disabled = Boolean(set && set.begun);
    const busy = Boolean(making);
    const mine = busy && set && making.set === set.id;
    const made = Boolean(set && set.instrument);
    this.drawProgress(making, set);
    this.minutesRow.hidden = made || mine;
    this.go.hidden = !material.able || made || mine;
    this.go.disabled = !set || !(set.sounds.length || set.begun) || busy || gathering.sending > 0 || this.recorder.active;
    write(this.go, set && set.begun ? "Go on making it" : "Make the instrument");
    this.play.hidden = !made || mine;
    this.play.disabled = made && store.instrument.name === set.instrument;
    write(this.play, this.play.disabled ? "You play it" : "Play it");
    this.remove.hidden = !set || mine;
    write(this.fault, set && set.fault && !mine ? set.fault : "");
    this.fault.hidden = !this.fault.textContent;
    let note = "";
    if (mine) note = "It runs with the lowest priority beside what you play. You may stop it, even end the player: it goes on where it was.";
    else if (busy) note = `${making.title} is being made; one at a time.`;
    else if (made) note = "Its sounds are kept here, so that it can also learn to play by itself (neurorack prior). Deleting them leaves the instrument.";
    else if (set && set.begun) note = "It has begun to learn, so more sounds would come too late; begin another instrument for them.";
    else if (material.able) note = "Nothing leaves this machine.";
    write(this.note, note);
    this.note.hidden = !note;
  }
}
