/** Pong's page: draws the table that the server tells of, and says which way to push the paddle. */

import { beep } from "../../page/sound.js";
import { steerUpDown } from "../../page/steer.js";

/** @type {import("../../page/room.js").Play} */
export function play(room) {
  room.onEvent((event) => beep({ from: event === "Bounce" ? 520 : 260, to: 120, seconds: 0.1 }));
  room.onFrame(() => {
    const { players, score } = room.newest()[0].fields ?? {};
    const [own, other] = players[1] === room.player ? [score[1], score[0]] : score;
    const title = room.spectator ? "The match is over" : own > other ? "You won" : "You lost";
    room.result = { title, text: `${own} to ${other}` };
  });
  room.draw(({ context: draw, width, height }, [{ fields: table } = { fields: null }]) => {
    draw.fillStyle = "#0c1017";
    draw.fillRect(0, 0, width, height);
    if (!table) return;
    const [w, h] = [Math.min(width - 48, 1000), Math.min(height - 190, 560)];
    draw.translate((width - w) / 2, (height - h) / 2 + 14);
    draw.textAlign = "center";
    draw.fillStyle = "#ffffff2a";
    for (const y of [-2, h]) draw.fillRect(-8, y, w + 16, 2);
    for (let y = 6; y < h - 13; y += 26) draw.fillRect(w / 2 - 1.5, y, 3, 13);
    ["#54e0c7", "#ffb454"].forEach((color, side) => {
      draw.fillStyle = color;
      const [top, bottom] = [Math.max(table.paddles[side] - 0.1, 0), Math.min(table.paddles[side] + 0.1, 1)];
      draw.fillRect(side * (w + 8) - 8, top * h, 8, (bottom - top) * h);
      draw.font = "700 64px system-ui, sans-serif";
      draw.fillText(table.score[side], w * (0.36 + 0.28 * side), 76);
      draw.font = "600 15px system-ui, sans-serif";
      if (table.players[side] === room.player) draw.fillText("you", side * w, h + 26);
    });
    draw.fillStyle = "#ffffff";
    draw.fillRect(table.ball[0] * w - 7, table.ball[1] * h - 7, 14, 14);
    if (!table.players[0]) draw.fillText("Waiting for another player. Send the link!", w / 2, h / 2 - 40);
  });
  return steerUpDown(room.place, (push) => room.hold({ push }));
}
