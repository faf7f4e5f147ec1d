// The WebSocket at /live: against a client of another maker, and byte by byte where that client is too polite.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import type { Running } from '../../services/kit/server.ts'
import { askBytes, awaitEntry, openSocket, readToEnd } from '../services/ask.ts'

let monolith: Running
beforeAll(async () => {
  monolith = await startMonolith({ port: 0 })
})
afterAll(() => monolith.stop())

const liveUrl = () => `${monolith.url.replace('http', 'ws')}/live`
async function connectClient(protocols: readonly string[] = []): Promise<WebSocket> {
  const client = new WebSocket(liveUrl(), [...protocols], { perMessageDeflate: false })
  await once(client, 'open')
  return client
}
const handshake = [
  ...['Upgrade: websocket', 'Connection: keep-alive, Upgrade', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

describe('a conversation', () => {
  test('selects freight.v1 where it is offered, and nothing where it is not', async () => {
    const chosen = await connectClient(['other', 'freight.v1'])
    const plain = await connectClient()
    expect([chosen.protocol, plain.protocol]).toEqual(['freight.v1', ''])
    for (const client of [chosen, plain]) client.close()
  })

  test('echoes text as text and binary as binary', async () => {
    const client = await connectClient()
    client.send('Größe')
    const [text, isTextBinary] = await once(client, 'message')
    client.send(Buffer.from([0, 255, 7]))
    const [bytes, isBinary] = await once(client, 'message')
    expect([String(text), isTextBinary, [...(bytes as Buffer)], isBinary]).toEqual(['Größe', false, [0, 255, 7], true])
    client.close()
  })

  test.each([0, 125, 126, 65_535, 65_536, 1_048_576])('echoes a message of %d bytes', async (length) => {
    const client = await connectClient()
    const sent = Buffer.alloc(length, 'freight')
    client.send(sent)
    const [got] = await once(client, 'message')
    expect((got as Buffer).equals(sent)).toBe(true)
    client.close()
  })

  test('joins fragments, with a ping answered in between', async () => {
    const client = await connectClient()
    const order: string[] = []
    client.on('pong', (payload) => order.push(`pong ${payload}`))
    client.on('message', (message) => order.push(`message ${message}`))
    client.send('one ', { fin: false })
    client.ping('between')
    client.send('two ', { fin: false })
    client.send('three', { fin: true })
    await once(client, 'message')
    expect(order).toEqual(['pong between', 'message one two three'])
    client.close()
  })

  test('gives the client its own close code back', async () => {
    const client = await connectClient()
    client.close(4321, 'done')
    const [code, reason] = await once(client, 'close')
    expect([code, String(reason)]).toEqual([4321, 'done'])
  })

  test('answers much for a client that reads late, losing nothing', async () => {
    const client = await connectClient()
    client.pause()
    const sent = Array.from({ length: 40 }, (_, index) => Buffer.alloc(200_000, index))
    for (const message of sent) client.send(message)
    const got: Buffer[] = []
    const all = new Promise<void>((resolve) => {
      client.on('message', (message) => {
        got.push(message as Buffer)
        if (got.length === sent.length) resolve()
      })
    })
    client.resume()
    await all
    expect(got.every((message, index) => message.equals(sent[index] as Buffer))).toBe(true)
    client.close()
  })

  test('ends with 1009 where the fragments together are beyond 1 MiB', async () => {
    const client = await connectClient()
    client.send(Buffer.alloc(600_000), { fin: false })
    client.send(Buffer.alloc(600_000), { fin: true })
    expect((await once(client, 'close'))[0]).toBe(1009)
  })

  test('that its client resets does no harm to others', async () => {
    const socket = await openSocket(monolith.url)
    socket.write(`GET /live HTTP/1.1\r\nHost: x\r\n${handshake.join('\r\n')}\r\n\r\n`)
    await once(socket, 'data')
    socket.resetAndDestroy()
    const client = await connectClient()
    client.send('still there?')
    expect(String((await once(client, 'message'))[0])).toBe('still there?')
    client.close()
  })

  test('is in the ledger as answered with 101', async () => {
    const client = new WebSocket(liveUrl(), { headers: { 'X-Request-Id': 'live' } })
    await once(client, 'open')
    await awaitEntry(monolith.url, 'live', { state: 'answered', status: 101, path: '/live' })
    client.close()
  })

  test('ends with 1001 when the monolith stops', async () => {
    const passing = await startMonolith({ port: 0 })
    const client = new WebSocket(`${passing.url.replace('http', 'ws')}/live`)
    await once(client, 'open')
    const closed = once(client, 'close')
    await passing.stop()
    expect((await closed)[0]).toBe(1001)
  })
})

describe('a client that breaks the protocol is closed with the right code', () => {
  const masked = (first: number, payload: Buffer, length = payload.length) =>
    Buffer.concat([Buffer.from([first, 0x80 | length, 0, 0, 0, 0]), payload])
  const closeWith = (code: number) => masked(0x88, Buffer.from([code >> 8, code & 0xff]))
  const longLength = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1])

  test.each<[string, Buffer, number]>([
    ['a frame that is not masked', Buffer.from([0x81, 1, 0x61]), 1002],
    ['a reserved bit', masked(0xc1, Buffer.from('a')), 1002],
    ['an unknown opcode', masked(0x83, Buffer.alloc(0)), 1002],
    ['a fragmented ping', masked(0x09, Buffer.alloc(0)), 1002],
    ['a ping beyond 125 bytes', Buffer.from([0x89, 0xfe, 0, 126]), 1002],
    ['a continuation of nothing', masked(0x80, Buffer.from('a')), 1002],
    [
      'a new message within another',
      Buffer.concat([masked(0x01, Buffer.from('a')), masked(0x81, Buffer.from('b'))]),
      1002,
    ],
    ['a text that is no UTF-8', masked(0x81, Buffer.from([0xff])), 1007],
    ['a length beyond 1 MiB', longLength, 1009],
    ['a close code that nobody may send', closeWith(1005), 1002],
    ['a close frame of one byte', masked(0x88, Buffer.from([3])), 1002],
    ['a close without a code', masked(0x88, Buffer.alloc(0)), 1000],
  ])('%s', async (_, bytes, code) => {
    const socket = await openRaw()
    socket.write(bytes)
    const [, frames = ''] = splitHead(await readToEnd(socket))
    const frame = Buffer.from(frames, 'latin1')
    expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, code])
  })

  test('a frame that comes byte by byte is understood', async () => {
    const socket = await openRaw()
    for (const byte of Buffer.concat([masked(0x81, Buffer.from('slow')), closeWith(1000)]))
      socket.write(Buffer.from([byte]))
    const [, frames = ''] = splitHead(await readToEnd(socket))
    expect(frames.slice(0, 6)).toBe('\x81\x04slow')
  })

  test('a frame that comes together with the handshake is answered', async () => {
    const socket = await openSocket(monolith.url)
    const head = `GET /live HTTP/1.1\r\nHost: x\r\n${handshake.join('\r\n')}\r\n\r\n`
    socket.write(Buffer.concat([Buffer.from(head), masked(0x81, Buffer.from('early')), closeWith(1000)]))
    const [, frames = ''] = splitHead(await readToEnd(socket))
    expect(frames.slice(0, 7)).toBe('\x81\x05early')
  })

  async function openRaw(): Promise<Socket> {
    const socket = await openSocket(monolith.url)
    socket.write(`GET /live HTTP/1.1\r\nHost: x\r\n${handshake.join('\r\n')}\r\n\r\n`)
    return socket
  }
})

describe('a handshake', () => {
  test('is accepted with the key of RFC 6455 §1.3', async () => {
    const socket = await openSocket(monolith.url)
    socket.write(`GET /live HTTP/1.1\r\nHost: x\r\n${handshake.join('\r\n')}\r\n\r\n`)
    const [bytes] = await once(socket, 'data')
    expect(String(bytes)).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n')
    socket.destroy()
  })

  test.each<[string, string, readonly string[], RegExp]>([
    ['a bad token', '/live?token=bad', handshake, /^HTTP\/1.1 401 [\s\S]*"error":"this token is not valid"/],
    ['no upgrade', '/live', [], /^HTTP\/1.1 426 [\s\S]*Upgrade: websocket\r\n/],
    ['another protocol', '/live', ['Upgrade: h2c', 'Connection: Upgrade'], /^HTTP\/1.1 426 /],
    [
      'another version',
      '/live',
      [...handshake.slice(0, 2), 'Sec-WebSocket-Version: 8'],
      /^HTTP\/1.1 426 [\s\S]*Version: 13/,
    ],
    ['no key', '/live', handshake.slice(0, 3), /^HTTP\/1.1 400 /],
    ['a path that is no WebSocket', '/odd/reason', handshake, /^HTTP\/1.1 200 Freight Loaded/],
  ])('is refused for %s', async (_, path, fields, expected) => {
    expect(await askBytes(monolith.url, path, fields)).toMatch(expected)
  })
})

function splitHead(text: string): readonly [string, string] {
  const end = text.indexOf('\r\n\r\n')
  return [text.slice(0, end), text.slice(end + 4)]
}
