// Carries the sound from the socket straight to the audio thread, past the page and whatever keeps it busy.

import { openSocket } from "./socket.js";

let player = null; // the port of the audio thread
let socket = null;

onmessage = (event) => {
  if (event.data === "player") player = event.ports[0];
  else if (!socket) socket = openSocket("audio", { onOpen: () => player?.postMessage({ reset: true }), onBinary: pass });
};

function pass(data) {
  if (!player) return;
  // Twelve bytes of header: channels (uint32), then the index of the first sample (uint64).
  const channels = new DataView(data).getUint32(0, true);
  const samples = new Float32Array(data, 12);
  const first = samples.slice(0, samples.length / channels); // one channel; the instruments are mono
  player.postMessage(first.buffer, [first.buffer]);
}
