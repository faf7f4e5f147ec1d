import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Client, connectTo } from '../../load-tests/client.ts'

const open: (Server | Client)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const one of open.splice(0)) one.close()
  for (const socket of sockets) socket.destroy()
  sockets.clear()
})

/** A server that does with each request, whole as it came, what the test wants on the wire. */
async function wire(answer: (socket: Socket, request: string) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => answer(socket, bytes.toString('latin1')))
  })
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(origin: string, timeoutMs = 5000): Client {
  const made = connectTo(origin, timeoutMs)
  open.push(made)
  return made
}

const get = { method: 'GET', target: '/x' }

describe('the client', () => {
  const endings: [string, string, 'end' | 'reset', string, number][] = [
    ['an answer with all its bytes whole', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'end', 'whole', 200],
    [
      'an answer short of its Content-Length truncated',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello',
      'end',
      'truncated',
      200,
    ],
    [
      'a chunked answer with its last chunk whole',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      'end',
      'whole',
      200,
    ],
    [
      'a chunked answer without its last chunk truncated',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'end',
      'truncated',
      200,
    ],
    [
      'a head without any of its body truncated',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
      'end',
      'truncated',
      200,
    ],
    [
      'a connection reset in the body truncated',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello',
      'reset',
      'truncated',
      200,
    ],
    ['a connection closed without a byte reset', '', 'end', 'reset', 0],
    ['a connection closed in the head reset', 'HTTP/1.1 200 OK\r\nContent-Le', 'end', 'reset', 0],
    ['a connection reset without a byte reset', '', 'reset', 'reset', 0],
    ['what is no HTTP reset', 'SSH-2.0-OpenSSH_9\r\n\r\n', 'end', 'reset', 0],
    [
      'an answer after a 103 whole',
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      'end',
      'whole',
      204,
    ],
    [
      'a 502 whole: the status is judged elsewhere',
      'HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n',
      'end',
      'whole',
      502,
    ],
  ]
  it.each(endings)('calls %s', async (_name, bytes, how, ...expected) => {
    const [ending, status] = expected
    const origin = await wire((socket) => {
      if (how === 'end') socket.end(bytes, 'latin1')
      else if (bytes) socket.write(bytes, 'latin1', () => setImmediate(() => socket.resetAndDestroy()))
      else socket.resetAndDestroy()
    })
    expect(await client(origin).send(get)).toMatchObject({ ending, status })
  })

  it('sends a request once, even when a kept connection breaks under it', async () => {
    const requests: string[] = []
    const origin = await wire((socket, request) => {
      requests.push(request.split(' ')[1] ?? '')
      if (requests.length === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      else socket.destroy()
    })
    const one = client(origin)
    expect(await one.send({ method: 'GET', target: '/first' })).toMatchObject({ ending: 'whole' })
    expect(await one.send({ method: 'GET', target: '/second' })).toMatchObject({ ending: 'reset' })
    expect({ requests, connections: one.connections() }).toEqual({ requests: ['/first', '/second'], connections: 1 })
  })

  it('sends nothing more on a connection after its last request, even if the server keeps it open', async () => {
    const requests: string[] = []
    const origin = await wire((socket, request) => {
      requests.push(/^connection: (.*)$/im.exec(request)?.[1]?.trim() ?? '')
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const one = client(origin)
    await one.send({ ...get, isLast: true })
    await one.send(get)
    await one.send(get)
    expect({ requests, connections: one.connections() }).toEqual({
      requests: ['close', 'keep-alive', 'keep-alive'],
      connections: 2,
    })
  })

  it('says refused when nobody listens', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    expect(await client(`http://127.0.0.1:${port}`).send(get)).toMatchObject({
      ending: 'refused',
      cause: 'ECONNREFUSED',
    })
  })

  it('gives up at its timeout, and the connection with it', async () => {
    const closed = Promise.withResolvers<void>()
    const origin = await wire((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel')
      socket.on('close', () => closed.resolve())
    })
    // Long enough for a head to come, on whatever machine.
    expect(await client(origin, 2_000).send(get)).toMatchObject({ ending: 'timedOut', status: 200 })
    await closed.promise
  })

  it('marks an answer that only the end of the connection ends as one that could be cut unseen', async () => {
    const origin = await wire((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'))
    const reply = await client(origin).send(get)
    expect(reply).toMatchObject({ ending: 'whole', isEndUnsure: true })
    expect(reply.body.toString()).toBe('hello')
  })

  it('sends the target as it is, the fields and the body with its length', async () => {
    const request = Promise.withResolvers<string>()
    const origin = await wire((socket, bytes) => {
      if (bytes.endsWith('payload')) request.resolve(bytes)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const ask = {
      method: 'PUT',
      target: '/a%2Fb/../c?q=1',
      fields: { 'X-Request-Id': 'cutover-1' },
      body: Buffer.from('payload'),
    }
    await client(origin).send(ask)
    const bytes = await request.promise
    expect(bytes.startsWith('PUT /a%2Fb/../c?q=1 HTTP/1.1\r\n')).toBe(true)
    expect(bytes).toContain('X-Request-Id: cutover-1\r\n')
    expect(bytes.toLowerCase()).toContain('content-length: 7\r\n')
  })
})
