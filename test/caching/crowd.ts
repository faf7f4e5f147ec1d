// 10 000 clients ask one cold key before it is answered: `node test/caching/crowd.ts [clients]`. Fails unless one request goes upstream.
// The gateway is a process of its own, as an operator runs it; each client has a connection of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const clients = Number(process.argv[2] ?? 10_000)
const script = new URL('../../bin/banyan.js', import.meta.url).pathname

let asked = 0
const waiting: ServerResponse[] = []
const origin = createServer((_, response) => {
  asked += 1
  waiting.push(response)
}).listen(0, '127.0.0.1')
await once(origin, 'listening')

const folder = await mkdtemp(join(tmpdir(), 'banyan-crowd-'))
await writeFile(
  join(folder, 'routes.yaml'),
  `public: { host: 127.0.0.1, port: 0 }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
accessLog: off
sessionCookie: SESSION
upstreams: { origin: { url: "http://127.0.0.1:${(origin.address() as AddressInfo).port}" } }
unmatched: origin
routes: [{ name: c, match: { path: /c }, upstream: origin, cache: {} }]
`,
)
const gateway = spawn(process.execPath, [script, 'run', '--config', join(folder, 'routes.yaml')], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const places = await listening(gateway)

const startedAt = performance.now()
const asking: Promise<string>[] = []
while (asking.length < clients) {
  // No more at a time than a queue of connections holds.
  for (let i = 0; i < 250 && asking.length < clients; i += 1) asking.push(ask(places.port))
  while ((await metric('banyan_requests_in_flight')) < asking.length);
}
const gatheredAt = performance.now()
const body = 'x'.repeat(10_000)
const fields = { 'Cache-Control': 'max-age=100', 'Content-Length': body.length }
for (const response of waiting) response.writeHead(200, fields).end(body)
const good = (await Promise.all(asking)).filter(
  (text) => text.startsWith('HTTP/1.1 200') && text.endsWith(`\r\n\r\n${body}`),
).length
const endedAt = performance.now()
console.log(
  `${clients} clients: ${asked} upstream call(s), ${good} whole answers; gathered in ${Math.round(gatheredAt - startedAt)} ms, answered in ${Math.round(endedAt - gatheredAt)} ms`,
)
gateway.kill()
await once(gateway, 'close')
origin.close()
origin.closeAllConnections()
await rm(folder, { recursive: true })
process.exitCode = asked === 1 && good === clients ? 0 : 1

async function listening(child: ChildProcess): Promise<{ port: number; admin: string }> {
  for await (const text of createInterface({ input: child.stdout as Readable })) {
    const line = JSON.parse(text) as Record<string, string>
    if (line.msg === 'listening') return { port: Number(new URL(line.public ?? '').port), admin: line.admin ?? '' }
  }
  throw new Error('the gateway ended')
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${places.admin}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1),
  )
}

async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /c HTTP/1.1\r\nHost: crowd\r\nConnection: close\r\n\r\n')
  let text = ''
  for await (const piece of socket.setEncoding('latin1')) text += piece
  return text
}
