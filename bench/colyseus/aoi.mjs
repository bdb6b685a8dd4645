// The scene of areas of interest on Colyseus' schema encoder alone, without sockets: the same field, things, steps and views as
// tiltyard-scenes' Aoi.
//
//   node aoi.mjs THINGS CLIENTS TICKS number|packed
//
// `number` declares the fields as the documentation and the encoder's own benchmark do; `packed` gives them the sizes that
// Tiltyard's lanes have (sixteenths of a unit, 256ths of a circle). At each tick every thing moves and turns, views follow
// things over the borders of cells, and then happens what a room does with its patch: one shared encode, one for each view.
// Prints one line of JSON: mean microseconds a tick, bytes a tick and things seen by all clients together.

import { Encoder, StateView, schema, t } from '@colyseus/schema'

const SIZE = 3000
const CELL = 300
const COLUMNS = SIZE / CELL
const STEP = 5
const TURN = 2 * Math.PI
const WARM_UP = 40
// A patch starts behind the byte that tells its kind.
const OFFSET = 1

const [things, clients, ticks] = process.argv.slice(2, 5).map(Number)
const packed = process.argv[5] === 'packed'

// Room for the views of all clients, so that the encoder never has to grow it.
Encoder.BUFFER_SIZE = 64 * 1024 * 1024

const Mover = packed
  ? schema({ x: t.uint16(), y: t.uint16(), rotation: t.uint8() }, 'Mover')
  : schema({ x: t.number(), y: t.number(), rotation: t.number() }, 'Mover')
const State = schema({ movers: t.map(Mover).view() }, 'State')

const clamp = (value, most) => Math.min(Math.max(value, 0), most)
const cellOf = ({ x, y }) => clamp(Math.floor(y / CELL), COLUMNS - 1) * COLUMNS + clamp(Math.floor(x / CELL), COLUMNS - 1)

/** The cells of a 3 x 3 view. */
function around(cell) {
  const [column, row] = [cell % COLUMNS, Math.floor(cell / COLUMNS)]
  const isNear = (_, other) => Math.abs(other % COLUMNS - column) <= 1 && Math.abs(Math.floor(other / COLUMNS) - row) <= 1
  return Array.from({ length: COLUMNS * COLUMNS }, (_, other) => other).filter(isNear)
}

/** Writes into the state what clients may see. */
function show(thing) {
  thing.mover.x = packed ? Math.round(thing.x * 16) : thing.x
  thing.mover.y = packed ? Math.round(thing.y * 16) : thing.y
  thing.mover.rotation = packed ? Math.round(thing.rotation / TURN * 256) & 255 : thing.rotation
}

const state = new State()
const encoder = new Encoder(state)
const views = Array.from({ length: clients }, () => new StateView())
// By cell: the views that see it, in rising order.
const watchers = Array.from({ length: COLUMNS * COLUMNS }, () => [])
views.forEach((view, client) => {
  view.add(state)
  for (const cell of around(client * 7919 % (COLUMNS * COLUMNS))) watchers[cell].push(view)
})
const all = Array.from({ length: things }, (_, number) => {
  const thing = { mover: new Mover(), x: Math.random() * SIZE, y: Math.random() * SIZE, rotation: 0, cell: 0 }
  thing.cell = cellOf(thing)
  show(thing)
  state.movers.set(String(number), thing.mover)
  for (const view of watchers[thing.cell]) view.add(thing.mover)
  return thing
})

/** Moves everything, and brings the views up to date. */
function step() {
  const random = () => (2 * Math.random() - 1) * STEP
  for (const thing of all) {
    thing.x = clamp(thing.x + random(), SIZE)
    thing.y = clamp(thing.y + random(), SIZE)
    thing.rotation = (thing.rotation + 0.05 * random() + TURN) % TURN
    show(thing)
    const cell = cellOf(thing)
    if (cell === thing.cell) continue
    const [before, after] = [watchers[thing.cell], watchers[cell]]
    for (const view of before) if (!after.includes(view)) view.remove(thing.mover)
    for (const view of after) if (!before.includes(view)) view.add(thing.mover)
    thing.cell = cell
  }
}

/** What a room does at each patch: the bytes of all clients together. */
function patch() {
  const iterator = { offset: OFFSET }
  encoder.encode(iterator)
  const shared = iterator.offset
  let bytes = 0
  for (const view of views) bytes += encoder.encodeView(view, shared, iterator).byteLength
  encoder.discardChanges()
  return bytes
}

const sum = { step_us: 0, encode_us: 0, bytes: 0, seen: 0 }
for (let tick = -WARM_UP; tick < ticks; tick++) {
  const start = performance.now()
  step()
  const stepped = performance.now()
  const bytes = patch()
  const end = performance.now()
  if (tick < 0) continue
  sum.step_us += (stepped - start) * 1000 / ticks
  sum.encode_us += (end - stepped) * 1000 / ticks
  sum.bytes += bytes / ticks
  sum.seen += all.reduce((seen, thing) => seen + watchers[thing.cell].length, 0) / ticks
}
process.stdout.write(`${JSON.stringify(sum)}\n`)
