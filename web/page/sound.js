/**
 * Short beeps by WebAudio, off until the player switches them on.
 */

import { isOn } from "./settings.js";

/** @type {AudioContext | null} */
let audio = null;

/**
 * A note that falls or rises from one pitch to another.
 *
 * @typedef {object} Beep
 * @property {number} from Hz
 * @property {number} to Hz
 * @property {number} seconds
 * @property {number} [volume] 0 to 1; default 0.5
 * @property {OscillatorType} [shape] default a triangle
 */

/**
 * Sounds a note, if sound is on. `loud` is 0 to 1: less for what is far away.
 *
 * @param {Beep} beep
 * @param {number} [loud]
 */
export function beep({ from, to, seconds, volume = 0.5, shape = "triangle" }, loud = 1) {
  if (!isOn("sound") || loud <= 0.02) {
    return;
  }
  audio ??= new AudioContext();
  if (audio.state === "suspended") {
    void audio.resume();
  }
  const now = audio.currentTime;
  const tone = audio.createOscillator();
  const gain = audio.createGain();
  tone.type = shape;
  tone.frequency.setValueAtTime(from, now);
  tone.frequency.exponentialRampToValueAtTime(to, now + seconds);
  gain.gain.setValueAtTime(volume * loud * 0.3, now);
  gain.gain.exponentialRampToValueAtTime(0.001, now + seconds);
  tone.connect(gain).connect(audio.destination);
  tone.start(now);
  tone.stop(now + seconds);
}
