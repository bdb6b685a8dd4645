/** Clock, lead, resyncs, backoff, pulse, inputs: the time is an argument. `time.test.js` tries them on whole lines. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../sdk/clock.js";
import { Lead } from "../sdk/lead.js";
import { Pulse } from "../sdk/pulse.js";
import { Resyncs } from "../sdk/resyncs.js";

/**
 * A clock of 20 ticks a second that has heard frames of ticks 0 to 9, the first at `start`.
 *
 * @param {number} [start]
 */
function warmClock(start = 1000) {
  const clock = new Clock(20);
  for (let tick = 0; tick < 10; tick += 1) {
    clock.observe(tick, tick === 0 ? 0 : null, start + tick * 50);
  }
  return clock;
}

test("the earliest arrival is believed and delays are not", () => {
  const clock = warmClock();
  clock.observe(10, null, 1500);
  clock.observe(11, null, 1590);
  assert.ok(Math.abs(clock.age(11, 1590) - 40) < 1);
  assert.equal(clock.tick(1615), 12);
  assert.ok(Math.abs(clock.time(1625) - 12.5) < 0.02);
});

test("a cold clock stands at the newest frame and calls none old", () => {
  const clock = new Clock(20, 77);
  assert.equal(clock.state(0), "cold");
  assert.equal(clock.tick(5000), 77);
  clock.observe(80, 0, 5000);
  clock.observe(81, null, 5050);
  assert.equal(clock.state(5050), "cold");
  assert.equal(clock.tick(5900), 81);
  assert.equal(clock.age(80, 5900), 0);
  clock.observe(82, null, 5100);
  clock.observe(83, null, 5150);
  assert.equal(clock.state(5150), "running");
});

test("a moved schedule makes no frame old", () => {
  const clock = warmClock(0);
  clock.observe(10, 19, 500 + 19 * 50);
  assert.ok(clock.age(10, 500 + 19 * 50) < 2);
  assert.equal(clock.tick(500 + 19 * 50 + 110), 12);
});

test("the clock coasts for half a second and stands", () => {
  const clock = warmClock();
  assert.equal(clock.tick(1450 + 410), 17);
  assert.equal(clock.state(1450 + 410), "running");
  assert.equal(clock.tick(1450 + 9000), 19);
  assert.equal(clock.state(1450 + 9000), "standing");
});

test("a line slower by a step is believed after a second, and inputs go on to aim where they did", () => {
  const clock = warmClock(0);
  let [shift, tick] = [0, 10];
  for (; tick * 50 < 1440; tick += 1) {
    shift += clock.observe(tick, null, tick * 50 + 600);
    assert.ok(Math.abs(clock.age(tick, tick * 50 + 600) - 600) < 2);
    assert.equal(clock.grows, false, "nothing to resync for");
  }
  assert.equal(shift, 0);
  for (; tick * 50 < 1600; tick += 1) {
    shift += clock.observe(tick, null, tick * 50 + 600);
  }
  assert.ok(clock.age(tick, tick * 50 + 600) < 2);
  assert.equal(clock.tick(tick * 50 + 610), tick);
  assert.equal(shift, 12);
  shift += clock.observe(tick, null, tick * 50);
  assert.ok(clock.age(tick, tick * 50) < 2, "a faster line is believed at once");
  assert.equal(shift, 0);
});

test("a line that becomes slower by little is believed in the end", () => {
  const clock = warmClock(0);
  for (let tick = 10; tick < 4000; tick += 1) {
    clock.observe(tick, null, tick * 50 + 80);
  }
  assert.ok(clock.age(4000, 4000 * 50 + 80) < 2);
});

test("frames that come ever later are no step, however slowly the lag grows", () => {
  for (const slower of [1.05, 1.1, 1.3, 2]) {
    const clock = warmClock(0);
    let now = 500;
    for (let tick = 10; clock.age(tick, now) < 600; tick += 1) {
      assert.equal(clock.observe(tick, null, now), 0);
      now += 50 * slower;
    }
    assert.equal(clock.grows, true, `${slower}`);
    assert.ok(clock.rebase(now) > 0);
    assert.equal(clock.grows, false);
  }
});

test("frames that keep coming late let the clock run on, beyond the newest of them", () => {
  const clock = warmClock(0);
  clock.observe(10, null, 500 + 1000);
  assert.equal(clock.tick(1510), 30, "inputs aim at the tick that the server is at");
  assert.equal(clock.tick(9000), 39, "without frames it stands");
});

test("after a suspended tab nothing aims below the newest frame, and no frame is called old", () => {
  const clock = warmClock();
  // Asleep for a minute; what was kept for it arrives at once.
  const now = 61_450;
  assert.ok(clock.tick(now) <= 19, "no tick is made up");
  for (let tick = 10; tick <= 1209; tick += 1) {
    clock.observe(tick, null, now + tick / 100);
    assert.ok(clock.tick(now + tick / 100) >= tick);
    assert.ok(clock.age(tick, now + tick / 100) < 100);
  }
  assert.equal(clock.tick(now + 12 + 110), 1211);
});

test("a late input raises the lead once and calm lowers it", () => {
  const lead = new Lead(20, 0);
  lead.observe(-3, 1, 5, 0);
  assert.equal(lead.ticks, 5);
  lead.observe(-3, 5, 6, 0);
  assert.equal(lead.ticks, 5, "input 5 was sent with the old lead");
  lead.observe(2, 6, 7, 5000);
  assert.equal(lead.ticks, 4);
  lead.observe(1, 8, 9, 5000);
  lead.observe(4, 9, 10, 10_000);
  assert.equal(lead.ticks, 4, "one of them was not early");
  lead.observe(-128, 11, 11, 10_000);
  assert.equal(lead.ticks, 60, "no line needs more");
});

test("inputs that waited for a line do not make those behind them aim seconds ahead", () => {
  const lead = new Lead(20, 0);
  lead.resumed(98);
  lead.observe(-100, 98, 98, 5000);
  assert.equal(lead.ticks, 2);
  lead.observe(-1, 99, 99, 5100);
  assert.equal(lead.ticks, 3, "what was sent since then counts");
});

test("a lead that is far too high falls in calm, by half of what is spare each time", () => {
  const lead = new Lead(20, 0);
  lead.observe(-24, 1, 1, 0);
  const heights = [];
  // Inputs need a lead of 10.
  for (let number = 2, now = 5000; now <= 30_000; number += 1, now += 5000) {
    lead.observe(lead.ticks - 10, number, number, now);
    heights.push(lead.ticks);
  }
  assert.deepEqual(heights, [19, 15, 13, 12, 11, 11]);
});

test("what the clock learns of the way down leaves the aims where they are", () => {
  const lead = new Lead(20, 0);
  lead.shift(12);
  assert.equal(lead.ticks, 14);
  lead.shift(-12);
  assert.equal(lead.ticks, 2);
  lead.shift(-3);
  assert.equal(lead.ticks, 2, "on a local line it is never less");
});

test("only frames that are old for long and ever older make a client resync, a second after the last resync", () => {
  const resyncs = new Resyncs();
  assert.equal(resyncs.judge(501, true, 0), "none", "the server may see it, too");
  assert.equal(resyncs.judge(501, true, 14_999), "none");
  assert.equal(resyncs.judge(500, true, 15_000), "none", "at the limit is not beyond it");
  assert.equal(resyncs.judge(501, true, 16_000), "none", "what was before has ended");
  assert.equal(resyncs.judge(600, false, 31_000), "none", "a step of the line, perhaps");
  assert.equal(resyncs.judge(501, true, 31_000), "resync");
  resyncs.sent(false, 31_000);
  assert.equal(resyncs.judge(700, true, 31_999), "none");
  assert.equal(resyncs.earliest(31_500), 32_000);
  assert.equal(resyncs.judge(700, true, 32_000), "resync");
});

/** A resync because of this lag, sent at 0. @param {number} lag */
function resynced(lag) {
  const resyncs = new Resyncs();
  assert.equal(resyncs.judge(lag, true, -15_000), "none");
  assert.equal(resyncs.judge(lag, true, 0), "resync");
  resyncs.sent(true, 0);
  return resyncs;
}

test("while the server sends less none is asked for", () => {
  const resyncs = new Resyncs();
  resyncs.judge(600, true, 0);
  resyncs.pace(2);
  assert.equal(resyncs.judge(600, true, 16_000), "rebase");
  resyncs.pace(1);
  assert.equal(resyncs.judge(600, true, 16_050), "resync");
});

test("a resync that did not help is not repeated: the line is taken as it is", () => {
  const resyncs = resynced(900);
  assert.equal(resyncs.judge(950, true, 500), "none", "the first frame behind it");
  assert.equal(resyncs.judge(950, true, 1499), "none");
  assert.equal(resyncs.judge(950, true, 1500), "rebase");
  assert.equal(resyncs.judge(10, false, 1550), "none");
  assert.equal(resyncs.judge(600, true, 40_000), "rebase", "for a minute no other is tried");
  assert.equal(resyncs.judge(600, true, 61_499), "rebase");
  assert.equal(resyncs.judge(600, true, 61_500), "resync");
});

test("a resync that costs more time than the lag was is not repeated", () => {
  for (const [age, remedy] of /** @type {const} */ ([[30, "none"], [950, "rebase"]])) {
    const resyncs = resynced(900);
    assert.equal(resyncs.judge(age, false, 900), remedy, "the queue in front of it had to drain");
    assert.equal(resyncs.judge(900, true, 5000), "rebase");
  }
});

test("a resync that helped may be repeated", () => {
  const resyncs = resynced(900);
  assert.equal(resyncs.judge(30, false, 300), "none");
  assert.equal(resyncs.judge(800, true, 1000), "none");
  assert.equal(resyncs.judge(800, true, 16_000), "resync");
});

/**
 * Asks and is answered, as often as a pulse wishes.
 *
 * @param {Pulse} pulse
 * @param {number} from
 * @param {number} until
 * @param {number} trip
 */
function beat(pulse, from, until, trip) {
  let pings = 0;
  for (let now = from; now < until; now += 10) {
    const number = pulse.ping(now);
    if (number !== null) {
      pings += 1;
      pulse.heard(now + trip);
      pulse.pong(number, 0, now + trip);
    }
    assert.equal(pulse.isDead(now), false);
  }
  return pings;
}

test("round trips are measured at once, each second at first, then every two", () => {
  const pulse = new Pulse(0);
  assert.equal(pulse.roundTrip, 0);
  assert.equal(beat(pulse, 0, 10, 40), 1);
  assert.deepEqual([pulse.roundTrip, pulse.smoothed], [40, 40]);
  assert.equal(beat(pulse, 10, 4130, 40), 4);
  assert.equal(beat(pulse, 4130, 14_000, 40), 5);
});

test("pings fall on every part of a tick", () => {
  const pulse = new Pulse(0);
  const parts = new Set();
  for (let now = 0; now < 20_000; now += 10) {
    const number = pulse.ping(now);
    if (number !== null) {
      pulse.pong(number, 0, now);
      parts.add(now % 50);
    }
  }
  assert.equal(parts.size, 5);
});

test("what an answer lay at the other end is no part of the round trip, and of many each counts", () => {
  const pulse = new Pulse(0);
  const [first, second] = [1, 2];
  assert.deepEqual([pulse.ping(0), pulse.ping(1030)], [first, second]);
  pulse.pong(second, 0, 1130);
  pulse.pong(first, 30, 1180);
  assert.equal(pulse.roundTrip, 100);
  pulse.pong(first, 0, 1181);
  pulse.pong(77, 0, 1182);
  assert.equal(pulse.smoothed, 362.5, "what was not asked for says nothing");
  const other = new Pulse(0);
  for (let now = 0; now < 17_000; now += 1030) {
    other.ping(now);
  }
  other.pong(1, 0, 17_000);
  assert.equal(other.roundTrip, 0, "too long ago");
  other.pong(2, 0, 17_000);
  assert.equal(other.roundTrip, 15_970);
});

test("a line that has become slower is believed with the second answer, a faster one with the first", () => {
  const pulse = new Pulse(0);
  beat(pulse, 0, 20_000, 40);
  assert.deepEqual([beat(pulse, 20_000, 22_100, 640), pulse.roundTrip, pulse.smoothed], [2, 640, 640]);
  beat(pulse, 22_100, 24_200, 40);
  assert.deepEqual([pulse.roundTrip, pulse.smoothed], [40, 40]);
  beat(pulse, 24_200, 40_000, 110);
  assert.equal(pulse.roundTrip, 110, "what is slower by little after ten seconds");
});

test("half-open is noticed within five seconds, and a slow line that delivers is alive", () => {
  const pulse = new Pulse(0);
  beat(pulse, 0, 4000, 40);
  for (let now = 4000; now < 7000; now += 500) {
    assert.equal(pulse.isDead(now), false);
  }
  assert.equal(pulse.isDead(3130 + 4079), false);
  assert.equal(pulse.isDead(3130 + 4080), true);
  const slow = new Pulse(0);
  beat(slow, 0, 10_000, 1500);
  for (let now = 10_000; now < 16_000; now += 500) {
    assert.equal(slow.isDead(now), false, `${now}`);
  }
  const silent = new Pulse(0);
  for (let now = 0; now < 5000; now += 1000) {
    assert.equal(silent.isDead(now), false);
  }
  assert.deepEqual([silent.isDead(4999), silent.isDead(5000)], [false, true]);
});

/**
 * A pulse whose line has brought a frame every 50 ms for five seconds, and answers; the last frame came at 5300.
 *
 * @param {number} trip
 */
function lively(trip) {
  const pulse = new Pulse(0);
  for (let now = 0; now <= 5300; now += 50) {
    pulse.heard(now);
    const number = pulse.ping(now);
    if (number !== null) {
      pulse.pong(number, 0, now + trip);
    }
    pulse.isDead(now);
  }
  return pulse;
}

test("a line that brought frames is asked after a second of silence, and dead after two and three round trips", () => {
  const pulse = lively(40);
  assert.deepEqual([pulse.ping(6299), pulse.deadline], [null, 6300]);
  assert.notEqual(pulse.ping(6300), null);
  pulse.isDead(6300);
  assert.equal(pulse.ping(7299), null);
  assert.deepEqual([pulse.isDead(7299), pulse.isDead(7419), pulse.isDead(7420)], [false, false, true]);
});

test("a line that brought frames and is asked, is alive while it answers", () => {
  const pulse = lively(40);
  for (let now = 5350; now < 30_000; now += 50) {
    const number = pulse.ping(now);
    if (number !== null) {
      pulse.heard(now + 40);
      pulse.pong(number, 0, now + 40);
    }
    assert.equal(pulse.isDead(now), false, `${now}`);
  }
});

test("a lively line with long round trips is given more time, but never more than a quiet one", () => {
  const slow = lively(900);
  assert.deepEqual([6700, 8100, 9500, 9999, 10_000].map((now) => slow.isDead(now)), [false, false, false, false, true]);
  const slower = lively(2500);
  assert.equal([6700, 8100, 9500, 10_900, 12_300, 13_700, 14_299].some((now) => slower.isDead(now)), false);
  assert.equal(slower.isDead(14_300), true);
});

test("who was asleep reads first what has arrived, and asks once", () => {
  const pulse = new Pulse(0);
  beat(pulse, 0, 4000, 40);
  assert.equal(pulse.isDead(34_000), false);
  assert.notEqual(pulse.ping(34_000), null, "asked at once");
  assert.equal(pulse.isDead(38_080), true, "nobody answers");
  const hidden = new Pulse(0);
  beat(hidden, 0, 4000, 40);
  assert.equal(hidden.isDead(60_000), false);
  assert.equal(hidden.isDead(120_000), true, "timers of a hidden tab come once a minute");
});

test("a hiccup of one's own timers is not the silence of a lively line", () => {
  const pulse = lively(40);
  assert.equal(pulse.isDead(7900), false, "what has come meanwhile is not read yet");
  assert.notEqual(pulse.ping(7900), null, "asked at once");
  assert.deepEqual([pulse.isDead(8900), pulse.isDead(10_019), pulse.isDead(10_020)], [false, false, true]);
});

test("a new line is measured anew", () => {
  const pulse = new Pulse(0);
  beat(pulse, 0, 9000, 40);
  const lost = pulse.ping(10_300) ?? 0;
  pulse.reopen(15_000);
  assert.deepEqual([pulse.roundTrip, pulse.isDead(15_001)], [0, false]);
  pulse.pong(lost, 0, 15_001);
  assert.equal(pulse.roundTrip, 0);
  assert.equal(pulse.ping(15_001), lost + 1);
});

