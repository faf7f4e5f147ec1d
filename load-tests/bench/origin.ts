// What all proxies stand before: fixed answers, as cheap as can be. nginx where it is installed, else a server on node:net in
// this process. The danger it guards against: an origin that is the bottleneck, so that all proxies look alike.
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { nginxOrigin } from './nativeConfigs.ts'
import { asks, bodyOf } from './scenarios.ts'
import { freePort, startServer } from './servers.ts'

export interface Origin {
  readonly port: number
  /** For the reader of the figures. */
  readonly name: string
  stop(): Promise<void>
}

/** @param folder its own; all folders above it are readable by anybody, for started by root nginx works as somebody else */
export async function startNginxOrigin(program: string, folder: string): Promise<Origin> {
  const site = join(folder, 'site')
  await mkdir(join(site, 'bench'), { recursive: true })
  let post = ''
  for (const { method, path, answerBytes } of asks) {
    if (method === 'GET') await writeFile(join(site, path), bodyOf(answerBytes))
    else post = bodyOf(answerBytes).toString('latin1')
  }
  const port = await freePort()
  const config = join(folder, 'nginx.conf')
  await writeFile(config, nginxOrigin(folder, { port, site, post }))
  const { stop } = await startServer({ program, args: ['-c', config] }, port)
  return { port, name: 'nginx', stop }
}

export async function startLeanOrigin(): Promise<Origin> {
  const answers = new Map(asks.map(({ path, answerBytes }) => [path, answerOf(answerBytes)]))
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    answerAll(socket, answers)
  }).listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  const address = server.address()
  const stop = async () => {
    for (const socket of open) socket.destroy()
    server.close()
  }
  return { port: typeof address === 'object' && address ? address.port : 0, name: 'node:net in this process', stop }
}

function answerOf(bytes: number): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bodyOf(bytes)])
}

/** Answers each request once it is there with its body, sized or chunked, for a proxy may send either. */
function answerAll(socket: Socket, answers: ReadonlyMap<string, Buffer>): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    for (let end = endOfRequest(pending); end !== undefined; end = endOfRequest(pending)) {
      const path = pending.toString('latin1', pending.indexOf(' ') + 1, pending.indexOf(' HTTP/'))
      socket.write(answers.get(path) ?? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
      pending = pending.subarray(end)
    }
  })
}

/** @returns undefined while the request is not whole */
function endOfRequest(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd + 2)
  const bodyStart = headEnd + 4
  if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) {
    const last = bytes.indexOf('\r\n0\r\n\r\n', bodyStart)
    return last < 0 ? undefined : last + 7
  }
  const end = bodyStart + Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0)
  return bytes.length < end ? undefined : end
}
