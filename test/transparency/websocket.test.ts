// After the handshake the gateway is a wire: what goes in at one end comes out at the other, byte for byte.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { openWire, type Wire } from '../harness/wire.ts'

let origin: Origin
let gateway: TestGateway
let heads: string[] = []
let accepted: (socket: Socket) => void = () => {}
let answer = ''

const switching = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'Sec-WebSocket-Protocol: chat.v2',
  'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover',
  'X-Odd: 1',
  'x-odd: 2',
  '',
  '',
].join('\r\n')

const handshake = [
  'GET /socket?a=%zz HTTP/1.1',
  'Host: h',
  'Upgrade: WebSocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: chat.v1, chat.v2',
  'Sec-WebSocket-Protocol: chat.v3',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-odd',
  'Origin: http://shop.example',
  'Cookie: SESSION=1',
  '',
  '',
].join('\r\n')

beforeAll(async () => {
  origin = await startRawOrigin((socket) => {
    let head = ''
    const onData = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n') + 4
      if (end < 4) return
      socket.off('data', onData)
      socket.pause()
      heads.push(head.slice(0, end))
      if (head.length > end) socket.unshift(Buffer.from(head.slice(end), 'latin1'))
      socket.write(answer, 'latin1')
      if (!answer.includes(' 101 ')) socket.end()
      accepted(socket)
    }
    socket.on('data', onData)
  })
  gateway = await startTestGateway(`
upstreams: { monolith: { url: "${origin.url}" } }
unmatched: monolith
`)
})
afterAll(async () => {
  await gateway.close()
  await origin.close()
})

async function open(bytes = handshake, said = switching): Promise<{ wire: Wire; upstream: Socket }> {
  heads = []
  answer = said
  const upstream = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const wire = await openWire(gateway.port, bytes)
  await wire.until(/\r\n\r\n/)
  return { wire, upstream: await upstream }
}

function frame(opcode: number, payload: Buffer, isFinal = true): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([payload.length])
      : payload.length < 65_536
        ? Buffer.from([126, payload.length >> 8, payload.length & 255])
        : Buffer.concat([Buffer.from([127, 0, 0, 0, 0]), Buffer.from(Uint32Array.of(payload.length).buffer).reverse()])
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode]), length, payload])
}

const messages: Record<string, Buffer> = {
  'a text': frame(1, Buffer.from('Łódź 🚚')),
  'an empty message': frame(1, Buffer.alloc(0)),
  'a message in fragments with a ping between': Buffer.concat([
    frame(1, Buffer.from('one'), false),
    frame(0, Buffer.from('two'), false),
    frame(9, Buffer.from('ping')),
    frame(0, Buffer.from('three')),
  ]),
  'a ping and a pong': Buffer.concat([frame(9, Buffer.from('x')), frame(10, Buffer.from('x'))]),
  'a message of 64 KiB': frame(2, randomBytes(65_536)),
  'a message of 1 MiB': frame(2, randomBytes(1 << 20)),
  'reserved bits and opcodes': Buffer.from([0xf3, 0x01, 0x00, 0x4b, 0x00]),
  'bytes that are no frames': Buffer.from('GET / HTTP/1.1\r\nHost: h\r\n\r\n\0\xff', 'latin1'),
  'a close with code 4001 and a reason': frame(8, Buffer.from('\x0f\xa1bye', 'latin1')),
  'a close without a code': frame(8, Buffer.alloc(0)),
}

test.each(Object.entries(messages))('%s passes either way as it is', async (_, bytes) => {
  const { wire, upstream } = await open()
  wire.socket.write(bytes)
  expect(digest(await read(upstream, bytes.length))).toBe(digest(bytes))
  const before = wire.received().length
  upstream.write(bytes)
  while (wire.received().length < before + bytes.length) await once(wire.socket, 'data')
  expect(digest(Buffer.from(wire.received().slice(before), 'latin1'))).toBe(digest(bytes))
  wire.socket.destroy()
})

test('the handshake passes with its fields as sent, but for the two of this hop', async () => {
  const { wire } = await open()
  expect(wire.received()).toBe(switching)
  const [head = ''] = heads
  const lines = head.split('\r\n').filter((line) => !/^(via|x-forwarded-\w+|forwarded|x-request-id):/i.test(line))
  const sent = handshake.split('\r\n').filter((line) => !/^(connection|upgrade):/i.test(line))
  expect(lines.filter((line) => !/^(connection|upgrade):/i.test(line))).toEqual(sent)
  expect(lines).toEqual(expect.arrayContaining(['Connection: Upgrade', 'Upgrade: WebSocket']))
  wire.socket.destroy()
})

test('frames in the packet of either handshake are not lost', async () => {
  const first = frame(1, Buffer.from('from the client'))
  const other = frame(1, Buffer.from('from the upstream'))
  const { wire, upstream } = await open(handshake + first.toString('latin1'), switching + other.toString('latin1'))
  expect(await read(upstream, first.length)).toEqual(first)
  await wire.until(/from the upstream$/)
  wire.socket.destroy()
})

test('a side that has ended still hears the other', async () => {
  for (const isClientFirst of [true, false]) {
    const { wire, upstream } = await open()
    const [early, late] = isClientFirst ? [wire.socket, upstream] : [upstream, wire.socket]
    const ended = once(late, 'end')
    late.resume()
    early.end('last words')
    await ended
    const arrived = once(early, 'close')
    early.resume()
    late.end('still here')
    await arrived
    if (isClientFirst) expect(wire.received()).toMatch(/still here$/)
    else expect(wire.received()).toMatch(/last words$/)
  }
})

test('a reset of either side ends the other', async () => {
  const one = await open()
  const gone = once(one.upstream, 'end')
  one.upstream.resume()
  one.wire.socket.resetAndDestroy()
  await gone
  const two = await open()
  two.upstream.resetAndDestroy()
  await two.wire.closed()
})

test.each(['401 Unauthorized', '404 Not Found', '503 Full', '200 OK'])(
  'a handshake that gets %s gets the upstream’s own answer',
  async (status) => {
    const said = `HTTP/1.1 ${status}\r\nX-Why: this\r\nSet-Cookie: a\r\nContent-Length: 2\r\n\r\nno`
    const { wire } = await open(handshake, said)
    const { received, isClean } = await wire.closed()
    expect(received).toBe(said.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    expect(isClean).toBe(true)
  },
)

test('another protocol than WebSocket passes too', async () => {
  const { wire, upstream } = await open(
    'POST /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: chat/1, chat/2\r\n\r\n',
    'HTTP/1.1 101 Own Words\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n',
  )
  expect(wire.received()).toContain('101 Own Words\r\nConnection: Upgrade\r\nUpgrade: chat/2')
  expect(heads[0]).toContain('Upgrade: chat/1, chat/2\r\n')
  upstream.write('hello')
  await wire.until(/hello$/)
  wire.socket.destroy()
})

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let count = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece)
      count += piece.length
      if (count >= bytes) resolve()
    })
    socket.resume()
  })
  return Buffer.concat(pieces)
}
