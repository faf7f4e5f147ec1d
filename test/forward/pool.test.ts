// The connections to one target: how many, how long, and for whom.
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Upstream } from '../../gateway/model.ts'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { clientConnection, freezeTime, openWorld, passing, resultOf, until, upstreamTo, type World } from './world.ts'

let world: World
let origin: Origin
/** Connections in the order they came, each with the heads it has carried. */
let connections: { socket: Socket; heads: string[] }[]
/** What the origin does with a head; by default it answers at once. */
let onHead: (socket: Socket, head: string) => void

const whole = (body: string, more = '') => `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

beforeEach(async () => {
  world = openWorld()
  connections = []
  onHead = (socket) => socket.write(whole('ok'))
  origin = await startRawOrigin((socket) => {
    const connection = { socket, heads: [] as string[] }
    connections.push(connection)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4)
        text = text.slice(end + 4)
        connection.heads.push(head)
        onHead(socket, head)
      }
    })
  })
})

afterEach(async () => {
  world.pools.destroy()
  await origin.close()
})

const upstream = (over: Partial<Upstream> = {}) => upstreamTo(origin.port, over)
const ask = (over: Partial<Upstream> = {}, target = '/') => resultOf(world.ask(upstream(over), { target }))
const sizeOfPool = () => world.pools.http1(upstream().target).size

test('a connection carries one request after another', async () => {
  for (const target of ['/1', '/2', '/3']) expect(await ask({}, target)).toBe('200 ok')
  expect(connections.map(({ heads }) => heads.map((head) => head.split(' ')[1]))).toEqual([['/1', '/2', '/3']])
})

test('no more connections than allowed; the others wait, in order', async () => {
  const held: Socket[] = []
  onHead = (socket) => held.push(socket)
  const asked = ['/1', '/2', '/3', '/4'].map((target) => ask({ maxConnections: 2 }, target))
  await until(() => held.length === 2)
  expect(sizeOfPool()).toBe(2)
  for (let answered = 0; answered < 4; answered += 1) {
    await until(() => held.length > 0)
    held.shift()?.write(whole(`${answered}`))
  }
  expect((await Promise.all(asked)).sort()).toEqual(['200 0', '200 1', '200 2', '200 3'])
  expect(connections).toHaveLength(2)
})

test('whoever waits longer than connectMs is told that the gateway is busy, and was never sent', async () => {
  freezeTime()
  onHead = () => {}
  const limits = { maxConnections: 1, connectMs: 30 }
  const first = world.ask(upstream(limits))
  await until(() => connections[0]?.heads.length === 1)
  expect(await passing(ask(limits))).toBe('upstreamBusy by gateway, unsent')
  expect(connections.flatMap(({ heads }) => heads)).toHaveLength(1)
  first.leave()
})

test.each([0, 2])('at most maxPending (%i) wait; the next is told at once', async (maxPending) => {
  onHead = () => {}
  const limits = { maxConnections: 1, maxPending, connectMs: 60_000 }
  const waiting = Array.from({ length: maxPending + 1 }, () => world.ask(upstream(limits)))
  expect(await ask(limits)).toBe('upstreamBusy by gateway, unsent')
  for (const { leave } of waiting) leave()
})

test('who leaves the queue gives its place up, and who leaves while connecting lets the next connect', async () => {
  const limits = { maxConnections: 1 }
  const leaver = world.ask(upstream(limits))
  const second = world.ask(upstream(limits), { target: '/second' })
  const third = world.ask(upstream(limits), { target: '/third' })
  second.leave()
  // Its connection has not come to stand yet: everything has happened in one turn.
  leaver.leave()
  expect(await resultOf(leaver)).toBe('clientGone by client')
  expect(await resultOf(third)).toBe('200 ok')
  expect(connections.flatMap(({ heads }) => heads.map((head) => head.split(' ')[1]))).toEqual(['/third'])
})

test('an idle connection is kept for 4 s, or for what the upstream says less a second', async () => {
  await ask()
  world.advance(3_999)
  await ask()
  expect(connections).toHaveLength(1)
  world.advance(4_000)
  onHead = (socket) => socket.write(whole('ok', 'Keep-Alive: timeout=20\r\n'))
  await ask()
  expect(connections).toHaveLength(2)
  world.advance(18_999)
  onHead = (socket) => socket.write(whole('ok', 'Keep-Alive: timeout=1\r\n'))
  await ask()
  expect(connections).toHaveLength(2)
  await ask()
  expect(connections).toHaveLength(3)
})

test('what is idle for too long is swept away, whatever order it came in', async () => {
  onHead = (socket, head) => socket.write(whole('ok', head.includes('/long') ? 'Keep-Alive: timeout=60\r\n' : ''))
  await Promise.all([ask({}, '/long'), ask({}, '/short')])
  const pool = world.pools.http1(upstream().target)
  world.advance(4_000)
  pool.sweep()
  await until(() => pool.size === 1)
  world.advance(55_000)
  pool.sweep()
  await until(() => pool.size === 0)
})

test('a connection is opened anew after five minutes, however busy it is', async () => {
  onHead = (socket) => socket.write(whole('ok', 'Keep-Alive: timeout=60\r\n'))
  for (let minutes = 0; minutes < 5 * 60; minutes += 50) {
    await ask()
    world.advance(50_000)
  }
  expect(connections).toHaveLength(1)
  await ask()
  expect(connections).toHaveLength(2)
})

test('a connection that the upstream closes while it is idle is noticed', async () => {
  await ask()
  connections[0]?.socket.end()
  await until(() => sizeOfPool() === 0)
  expect(await ask()).toBe('200 ok')
  expect(connections).toHaveLength(2)
})

test('bytes that nobody asked for end an idle connection, and are no part of the next answer', async () => {
  await ask()
  connections[0]?.socket.write(whole('stolen'))
  await until(() => sizeOfPool() === 0)
  expect(await ask()).toBe('200 ok')
})

test('a request that is provably unsent goes out again, once for each idle connection, and one that may have run never', async () => {
  await Promise.all([ask(), ask()])
  expect(connections).toHaveLength(2)
  // Both are reset before the gateway looks again: the write itself is refused by the system.
  for (const { socket } of connections) socket.resetAndDestroy()
  const result = await ask({}, '/again')
  const carried = connections.flatMap(({ heads }) => heads).filter((head) => head.includes('/again'))
  expect({ result, hits: carried.length }).toEqual({ result: '200 ok', hits: 1 })
})

test('a request whose connection breaks after it was read is not sent again', async () => {
  await ask()
  onHead = (socket) => socket.resetAndDestroy()
  expect(await ask({}, '/once')).toBe('upstreamReset by upstream')
  onHead = (socket) => socket.end()
  expect(await ask({}, '/twice')).toBe('upstreamReset by upstream')
  expect(connections.flatMap(({ heads }) => heads)).toHaveLength(3)
})

test('an upstream that resets every connection at once is not asked for ever', async () => {
  await origin.close()
  let accepted = 0
  const resetting = await startRawOrigin((socket) => {
    accepted += 1
    socket.resetAndDestroy()
  })
  expect(await resultOf(world.ask(upstreamTo(resetting.port)))).toMatch(/^upstreamReset by upstream/)
  expect(accepted).toBe(1)
  await resetting.close()
})

test('nobody listens: refused, unsent, blamed on the upstream', async () => {
  const { port } = origin
  await origin.close()
  expect(await resultOf(world.ask(upstreamTo(port)))).toBe('upstreamRefused by upstream, unsent')
})

test('a reload keeps what stays; what goes closes its idle connections now and the others after their answer', async () => {
  const held: Socket[] = []
  await ask()
  world.pools.retain([upstream()])
  expect(sizeOfPool()).toBe(1)
  onHead = (socket, head) => (head.includes('/held') ? held.push(socket) : socket.write(whole('ok')))
  const underWay = ask({}, '/held')
  await until(() => held.length === 1)
  await ask()
  const pool = world.pools.http1(upstream().target)
  expect(pool.size).toBe(2)
  world.pools.retain([])
  await until(() => pool.size === 1)
  held[0]?.write(whole('finished'))
  expect(await underWay).toBe('200 finished')
  await until(() => pool.size === 0)
})

test('the end of all cuts what is under way, and lets nobody wait', async () => {
  onHead = () => {}
  const asked = [ask({ maxConnections: 1 }), ask({ maxConnections: 1 })]
  await until(() => connections[0]?.heads.length === 1)
  world.pools.destroy()
  expect(await Promise.all(asked)).toEqual(['upstreamReset by upstream', 'upstreamBusy by gateway, unsent'])
  expect(connections).toHaveLength(1)
})

test('connections are of the whole fleet: when another gateway comes some are given up, when it goes some are made', async () => {
  const held: Socket[] = []
  onHead = (socket) => held.push(socket)
  const limits = { maxConnections: 4 }
  world.beOneOf(2)
  const asked = ['/1', '/2', '/3', '/4'].map((target) => ask(limits, target))
  await until(() => held.length === 2)
  const pool = world.pools.http1(upstream().target)
  expect(world.pools.loadOf(upstream(limits))).toEqual({ open: 2, waiting: 2, most: 2 })
  world.beOneOf(1)
  pool.sweep()
  await until(() => held.length === 4)
  world.beOneOf(9)
  expect(world.pools.loadOf(upstream(limits))).toEqual({ open: 4, waiting: 0, most: 1 })
  for (const socket of held.splice(0)) socket.write(whole('ok'))
  expect(await Promise.all(asked)).toEqual(Array(4).fill('200 ok'))
  // Those beyond the share are not kept for the next request.
  await until(() => pool.size === 1)
})

test('what rests beyond a share that has shrunk is closed', async () => {
  await Promise.all([ask(), ask(), ask()])
  const pool = world.pools.http1(upstream().target)
  expect(pool.size).toBe(3)
  world.beOneOf(5)
  pool.sweep()
  await until(() => pool.size === 2)
})

const challenge = (how: string) => `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${how}\r\nContent-Length: 0\r\n\r\n`

test.each(['NTLM', 'Negotiate', 'Basic realm=x, NTLM'])(
  'a connection that has offered %s is that client connection’s alone, and ends with it',
  async (how) => {
    onHead = (socket) => socket.write(challenge(how))
    const [anna, bert] = [clientConnection(), clientConnection()]
    const as = (connection: typeof anna, target: string) => resultOf(world.ask(upstream(), { connection, target }))
    await as(anna, '/anna/1')
    await as(bert, '/bert/1')
    onHead = (socket) => socket.write(whole('ok'))
    await as(anna, '/anna/2')
    await as(bert, '/bert/2')
    await ask({}, '/nobody')
    world.advance(6 * 60_000)
    await as(anna, '/anna/3')
    const carried = connections.map(({ heads }) => heads.map((head) => head.split(' ')[1]))
    expect(carried).toEqual([['/anna/1', '/anna/2', '/anna/3'], ['/bert/1', '/bert/2'], ['/nobody']])
    anna.close()
    await until(() => connections[0]?.socket.readableEnded ?? false)
    expect(connections[1]?.socket.readableEnded).toBe(false)
  },
)

test('a connection that has offered NTLM is not given to whoever waits, although its answer came whole', async () => {
  const held: Socket[] = []
  onHead = (socket) => held.push(socket)
  const anna = clientConnection()
  const first = resultOf(world.ask(upstream({ maxConnections: 1 }), { connection: anna, target: '/anna' }))
  await until(() => held.length === 1)
  const waiting = ask({ maxConnections: 1 }, '/bert')
  held[0]?.write(challenge('NTLM'))
  expect(await first).toBe('401 ')
  anna.close()
  await until(() => held.length === 2)
  held[1]?.write(whole('bert'))
  expect(await waiting).toBe('200 bert')
  expect(connections.map(({ heads }) => heads.length)).toEqual([1, 1])
})

test('who brings a login of that kind unasked has a connection alone; without a client connection nobody has it again', async () => {
  const raw = ['Host', 'h', 'Authorization', 'Negotiate abc']
  const anna = clientConnection()
  await resultOf(world.ask(upstream(), { connection: anna, raw }))
  await resultOf(world.ask(upstream(), { raw }))
  await ask()
  expect(connections.map(({ heads }) => heads.length)).toEqual([1, 1, 1])
})

test('an upstream that closes behind each challenge is not remembered once for each', async () => {
  onHead = (socket) => socket.end(challenge('NTLM'))
  const { onClose, close } = clientConnection()
  let listeners = 0
  const anna = {
    onClose(listener: () => void) {
      listeners += 1
      onClose(listener)
    },
  }
  for (let i = 0; i < 20; i += 1) await resultOf(world.ask(upstream(), { connection: anna }))
  expect(listeners).toBe(1)
  close()
})

test('a login that rests gives way to who waits for a connection', async () => {
  onHead = (socket) => socket.write(challenge('NTLM'))
  await resultOf(world.ask(upstream({ maxConnections: 1 }), { connection: clientConnection() }))
  world.advance(1_000)
  onHead = (socket) => socket.write(whole('bert'))
  expect(await ask({ maxConnections: 1 }, '/bert')).toBe('200 bert')
})
