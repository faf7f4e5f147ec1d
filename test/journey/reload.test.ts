// Edits of routes.yaml under traffic: who is under way finishes as he came in, and nobody ever sees half a file.
import { once } from 'node:events'
import { rename, writeFile } from 'node:fs/promises'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { newFolder, startProcess } from '../harness/process.ts'

let oldSide: Origin
let newSide: Origin
let held: { finish(): void } | undefined
let sendEvent: ((event: string) => void) | undefined

beforeAll(async () => {
  const [one, two] = await Promise.all(['old', 'new'].map(startSide))
  if (!one || !two) throw new Error('two sides')
  oldSide = one
  newSide = two
})

afterAll(async () => {
  await oldSide.close()
  await newSide.close()
})

async function startSide(name: string): Promise<Origin> {
  const started = await startOrigin((request, response) => {
    const { 'x-pair-one': one = '', 'x-pair-two': two = '' } = request.headers
    if (request.url === '/held') {
      held = { finish: () => response.end(' end') }
      response.write(name)
    } else if (request.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      sendEvent = (event) => response.write(`data: ${event}\n\n`)
    } else response.end(`${name} ${one} ${two}`)
  })
  const sockets = new WebSocketServer({ noServer: true })
  started.server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (message) => client.send(`${name} ${message}`))
    })
  })
  return started
}

function routesTo(stage: 'legacy' | 'live', mark = 'm'): string {
  return `
accessLog: off
upstreams: { old: { url: "${oldSide.url}" }, new: { url: "${newSide.url}" } }
unmatched: old
routes:
  - name: x
    match: { path: /x }
    move: { to: new, stage: ${stage}, rewrite: { request: { set: { x-pair-one: "${mark}", x-pair-two: "${mark}" } } } }
  - { name: held, match: { path: /held }, upstream: ${stage === 'live' ? 'new' : 'old'} }
  - { name: events, match: { path: /events }, upstream: ${stage === 'live' ? 'new' : 'old'} }
  - { name: live, match: { path: /live }, upstream: ${stage === 'live' ? 'new' : 'old'} }
`
}

function get(url: string, agent: Agent | false = false): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent }, resolve).on('error', reject).end()
  })
}

test('requests, streams and WebSockets under way finish under the routes they entered with', async () => {
  const gateway = await startTestGateway(routesTo('legacy'))
  const response = await get(`${gateway.url}/held`)
  const events = await get(`${gateway.url}/events`)
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/live`)
  await once(socket, 'open')
  const whole = text(response)

  await gateway.rewrite(routesTo('live'))
  expect(await text(await get(`${gateway.url}/x`))).toBe('new m m')
  await gateway.rewrite(routesTo('legacy', 'again'))
  // Even the upstream of what is under way may go from the file.
  await gateway.rewrite(`upstreams: { new: { url: "${newSide.url}" } }\nunmatched: new\n`)
  expect(await text(await get(`${gateway.url}/x`))).toMatch(/^new/)

  held?.finish()
  expect(await whole).toBe('old end')
  sendEvent?.('still here')
  const [event] = (await once(events, 'data')) as [Buffer]
  expect(event.toString()).toBe('data: still here\n\n')
  socket.send('and I')
  const [message] = (await once(socket, 'message')) as [Buffer]
  expect(message.toString()).toBe('old and I')
  socket.terminate()
  events.destroy()
  await gateway.close()
})

test('500 edits, every second one invalid, under load: no request fails, and none sees half a file', async () => {
  // The edits are renames: none is ever half written.
  const gateway = await startTestGateway(routesTo('legacy'), places, { settleMs: 1 })
  const load = startLoad(gateway, 8)
  const invalid = ['routes: [', 'upstraems: {}\n', `${routesTo('live', 'half')}  - { name: x }\n`, '']
  let accepted = 0
  for (let edit = 0; edit < 500; edit += 1) {
    const isValid = edit % 2 === 0
    const yaml = isValid ? routesTo(edit % 4 === 0 ? 'live' : 'legacy', `m${edit}`) : (invalid[(edit >> 1) % 4] ?? '')
    await gateway.rewrite(yaml)
    if (isValid) accepted += 1
  }
  const seen = await load.stop()
  expect(await gateway.metric('banyan_reloads_total{result="accepted"}')).toBe(accepted + 1)
  expect(await gateway.metric('banyan_reloads_total{result="refused"}')).toBe(500 - accepted)
  expect(await gateway.metric('banyan_config_revision')).toBe(accepted + 1)
  expect(seen.failures).toEqual([])
  // Under load means: more requests than edits, and both sides were asked.
  expect(seen.answers.length).toBeGreaterThan(500)
  expect(new Set(seen.answers.map((answer) => answer.split(' ')[0]))).toEqual(new Set(['old', 'new']))
  expect(seen.answers.filter((answer) => !isWhole(answer))).toEqual([])
  await gateway.close()
}, 240_000)

/** From the old side without a mark, or from the new one with both marks of one file. */
function isWhole(answer: string): boolean {
  const [side, one, two] = answer.split(' ')
  return side === 'old' ? one === '' && two === '' : one === two && /^m\d*$/.test(one ?? '')
}

function startLoad(gateway: TestGateway, clients: number) {
  const answers: string[] = []
  const failures: string[] = []
  let isOver = false
  async function client(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!isOver) {
      try {
        const response = await get(`${gateway.url}/x`, agent)
        const body = await text(response)
        if (response.statusCode === 200) answers.push(body)
        else failures.push(`${response.statusCode} ${body}`)
      } catch (error) {
        failures.push(String(error))
      }
    }
    agent.destroy()
  }
  const running = Array.from({ length: clients }, client)
  return {
    async stop() {
      isOver = true
      await Promise.all(running)
      return { answers, failures }
    },
  }
}

test('an edit is noticed without being told: renamed over the file, or written into it', async () => {
  const gateway = await startTestGateway(routesTo('legacy'))
  const file = join(gateway.folder, 'routes.yaml')
  await writeFile(`${file}.new`, places + routesTo('live', 'm1'))
  await rename(`${file}.new`, file)
  await gateway.line(({ msg, revision }) => msg === 'routes.yaml accepted' && revision === 2)
  expect(await text(await get(`${gateway.url}/x`))).toBe('new m1 m1')
  await writeFile(file, 'routes: [')
  await gateway.line(({ msg }) => String(msg).startsWith('routes.yaml refused'))
  await writeFile(file, places + routesTo('live', 'm2'))
  await gateway.line(({ msg, revision }) => msg === 'routes.yaml accepted' && revision === 3)
  expect(await text(await get(`${gateway.url}/x`))).toBe('new m2 m2')
  await gateway.close()
})

test('SIGHUP has a process look at its file, and ends nothing', async () => {
  const folder = await newFolder(places + routesTo('legacy'))
  const gateway = await startProcess(folder)
  await writeFile(join(folder, 'routes.yaml'), places + routesTo('live', 'm7'))
  gateway.child.kill('SIGHUP')
  await gateway.line(({ msg, revision }) => msg === 'routes.yaml accepted' && revision === 2)
  expect(await text(await get(`${gateway.url}/x`))).toBe('new m7 m7')
  gateway.child.kill('SIGTERM')
  expect(await gateway.exited).toBe(0)
})
