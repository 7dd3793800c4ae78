// A WebSocket to the player that comes back by itself.

export function openSocket(path, { onText, onBinary, onOpen, onLost } = {}) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  let socket = null;
  let closed = false;
  let attempts = 0;
  let timer = 0;

  function connect() {
    socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      attempts = 0;
      if (onOpen) onOpen();
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") {
        if (onText) onText(JSON.parse(event.data));
      } else if (onBinary) onBinary(event.data);
    };
    socket.onclose = () => {
      if (closed) return;
      attempts += 1;
      if (onLost) onLost(attempts);
      timer = setTimeout(connect, Math.min(250 * 1.6 ** (attempts - 1), 4000));
    };
  }

  connect();
  return {
    send(data) {
      if (!socket || socket.readyState !== WebSocket.OPEN) return false;
      // Binary audio is worthless late: rather drop it than queue it.
      if (typeof data !== "string" && socket.bufferedAmount > 65536) return false;
      socket.send(data);
      return true;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      if (socket) socket.close();
    },
  };
}
