// Where the sound is, as it is heard: the same dot on the pad and on the map.

export function drawEar(context, px, py) {
  context.fillStyle = "#35c9b4";
  context.strokeStyle = "#06231f";
  context.lineWidth = 2;
  context.beginPath();
  context.arc(px, py, 7, 0, 7);
  context.fill();
  context.stroke();
}
