// The scene walkers on Colyseus: the same rules, fields and view as tiltyard-scenes' Walkers.
//
//   node server.mjs views|broadcast
//
// `views` gives each client a StateView and adds and removes walkers as they enter and leave its 3 x 3 cells; what changed
// cell is all that is looked at, so the rules cost no more than they must. `broadcast` sends everybody the whole state.
// Prints `listening ADDR` and `ready`.

import { Server, Room } from '@colyseus/core'
import { StateView, schema, t } from '@colyseus/schema'
import { WebSocketTransport } from '@colyseus/ws-transport'

const SIZE = 2048
const CELL = 128
const COLUMNS = SIZE / CELL
const SPEED = 120
const STEPS_PER_UNIT = 16
const TICK_MS = 50

const views = process.argv[2] !== 'broadcast'

const Walker = schema({ x: t.uint16(), y: t.uint16(), heading: t.uint8(), hp: t.uint8(), score: t.uint16() }, 'Walker')
const walkers = t.map(Walker)
const State = schema({ walkers: views ? walkers.view() : walkers }, 'State')

/** The cells around a cell, itself included. */
function around(cell) {
  const column = cell % COLUMNS
  const row = Math.floor(cell / COLUMNS)
  const cells = []
  for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, COLUMNS - 1); y++) {
    for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, COLUMNS - 1); x++) cells.push(y * COLUMNS + x)
  }
  return cells
}

const AROUND = Array.from({ length: COLUMNS * COLUMNS }, (_, cell) => around(cell))

class Walkers extends Room {
  maxClients = 10_000
  patchRate = TICK_MS

  onCreate() {
    this.setState(new State())
    this.players = new Map()
    this.cells = Array.from({ length: COLUMNS * COLUMNS }, () => new Set())
    this.onMessage('turn', (client, by) => {
      const player = this.players.get(client.sessionId)
      if (player && by) player.course = (player.course + by) & 255
    })
    this.setSimulationInterval(() => this.walk(), TICK_MS)
  }

  onJoin(client) {
    const walker = new Walker()
    const player = { client, walker, x: Math.random() * SIZE, y: Math.random() * SIZE, course: Math.floor(Math.random() * 256), cell: -1 }
    walker.hp = 1 + Math.floor(Math.random() * 100)
    walker.score = Math.floor(Math.random() * 1000)
    this.show(player)
    this.players.set(client.sessionId, player)
    this.state.walkers.set(client.sessionId, walker)
    if (views) client.view = new StateView()
    this.place(player)
  }

  onLeave(client) {
    const player = this.players.get(client.sessionId)
    if (!player) return
    this.players.delete(client.sessionId)
    this.cells[player.cell].delete(player)
    this.state.walkers.delete(client.sessionId)
  }

  walk() {
    const way = SPEED * TICK_MS / 1000
    for (const player of this.players.values()) {
      const angle = player.course / 256 * 2 * Math.PI
      player.x += Math.cos(angle) * way
      player.y += Math.sin(angle) * way
      if (player.x < 0 || player.x > SIZE) {
        player.x = player.x < 0 ? -player.x : 2 * SIZE - player.x
        player.course = (128 - player.course) & 255
      }
      if (player.y < 0 || player.y > SIZE) {
        player.y = player.y < 0 ? -player.y : 2 * SIZE - player.y
        player.course = -player.course & 255
      }
      this.show(player)
      this.place(player)
    }
  }

  /** Writes into the state what clients may see. */
  show(player) {
    player.walker.x = Math.round(player.x * STEPS_PER_UNIT)
    player.walker.y = Math.round(player.y * STEPS_PER_UNIT)
    player.walker.heading = player.course
  }

  /** Brings cells and views up to date after a step. */
  place(player) {
    const clamp = (at) => Math.min(Math.floor(at / CELL), COLUMNS - 1)
    const cell = clamp(player.y) * COLUMNS + clamp(player.x)
    if (cell === player.cell) return
    const before = player.cell < 0 ? [] : AROUND[player.cell]
    const after = AROUND[cell]
    if (player.cell >= 0) this.cells[player.cell].delete(player)
    if (views) {
      for (const left of before.filter((one) => !after.includes(one))) {
        for (const other of this.cells[left]) {
          player.client.view.remove(other.walker)
          other.client.view.remove(player.walker)
        }
      }
      for (const entered of after.filter((one) => !before.includes(one))) {
        for (const other of this.cells[entered]) {
          player.client.view.add(other.walker)
          other.client.view.add(player.walker)
        }
      }
      if (player.cell < 0) player.client.view.add(player.walker)
    }
    this.cells[cell].add(player)
    player.cell = cell
  }
}

const transport = new WebSocketTransport({ pingInterval: 3000, pingMaxRetries: 10 })
const server = new Server({ transport, greet: false, gracefullyShutdown: false })
server.define('walkers', Walkers)
await server.listen(0, '127.0.0.1')
process.stdout.write(`listening 127.0.0.1:${transport.server.address().port}\nready\n`)
