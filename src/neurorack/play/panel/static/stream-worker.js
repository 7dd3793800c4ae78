// Carries the sound from the socket straight to the audio thread, past the page and whatever keeps it busy.

import { openSocket } from "./socket.js";

let player = null; // the port of the audio thread
let socket = null;

onmessage = (event) => {
  if (event.data === "player") player = event.ports[0];
  else if (!socket) socket = openSocket("audio", { onOpen: () => player?.postMessage({ reset: true }), onBinary: pass });
};

function pass(data) {
  if (player) player.postMessage(data, [data]);
}
