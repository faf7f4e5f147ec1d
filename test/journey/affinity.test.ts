// Nodes that keep sessions to themselves: a client stays with the one that has his, for as long as it is there.
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { TestGateway } from '../harness/gateway.ts'
import { type Node, newClient, startNodes } from './nodes.ts'
import { newStateDir, startBetween } from './sides.ts'

const yamlOf = (nodes: readonly Node[], affinity: string, rest = '') => `
paths: { case: exact }
upstreams: { old: { targets: [${nodes.map(({ url }) => `"${url}"`).join(', ')}], affinity: ${affinity} } }
unmatched: old
${rest}`

const byCookie = '{ cookie: NODE }'

/** So many clients that have begun a session, each with the name of the node that has it. */
async function loggedIn(gateway: TestGateway, count: number) {
  const clients = Array.from({ length: count }, () => newClient(gateway))
  return Promise.all(clients.map(async (client) => ({ client, home: (await client.ask('/login')).said })))
}

describe('by a cookie', () => {
  test('each client stays with the node that has his session, and new ones go to all nodes', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, byCookie))
    const clients = await loggedIn(gateway, 40)
    expect(new Set(clients.map(({ home }) => home))).toEqual(new Set(['a', 'b', 'c']))
    for (let visit = 0; visit < 3; visit += 1) {
      const told = await Promise.all(clients.map(({ client }) => client.ask('/me')))
      expect(told.map(({ said, status }) => [said, status])).toEqual(clients.map(({ home }) => [home, 200]))
      expect(told.flatMap(({ given }) => given)).toEqual([])
    }
    expect(await gateway.metric('banyan_affinity_moved_requests_total{upstream="old"}')).toBe(0)
  })

  test('a restart and another gateway know the cookie; no node ever sees it', async () => {
    const nodes = await startNodes(3)
    const first = await startBetween(yamlOf(nodes, byCookie), await newStateDir())
    const client = newClient(first)
    const { said, given } = await client.ask('/', { fields: { Cookie: 'a=1; b = 2' } })
    expect(given).toEqual([expect.stringMatching(/^NODE=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/)])
    await first.close()
    const second = await startBetween(yamlOf(nodes, byCookie), await newStateDir())
    const fields = { Cookie: `a=1; NODE=${client.cookies.get('NODE')}; b = 2` }
    for (let i = 0; i < 10; i += 1) expect((await newClient(second).ask('/', { fields })).said).toBe(said)
    const seen = nodes.flatMap((node) => node.seen)
    expect(seen).toEqual(Array(11).fill('GET / a=1; b = 2'))
  })

  test('when a node is gone its clients get another and stay there; nobody else moves', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, byCookie))
    const clients = await loggedIn(gateway, 30)
    await nodes[0]?.close()
    const told = await Promise.all(clients.map(({ client }) => client.ask('/me')))
    const orphans = clients.filter(({ home }) => home === 'a').length
    expect(orphans).toBeGreaterThan(0)
    for (const [i, { home }] of clients.entries()) {
      const { said, status, given } = told[i] ?? {}
      if (home !== 'a') expect([said, status, given]).toEqual([home, 200, []])
      // His session is lost, and that he is told so by the other node.
      else expect([said, status, given?.length]).toEqual([expect.stringMatching(/[bc]/), 401, 1])
    }
    expect(await gateway.metric('banyan_affinity_moved_requests_total{upstream="old"}')).toBe(orphans)
    const again = await Promise.all(clients.map(({ client }) => client.ask('/login')))
    expect(again.map(({ said }) => said)).toEqual(told.map(({ said }) => said))
    expect(again.map(({ given }) => given.length)).toEqual(Array(30).fill(1))
  })

  test('a node that is sick by its checks loses its clients to others, although it still answers', async () => {
    const sick = new Set<string>()
    const nodes = await startNodes(3, (name) => ({ url }, response) => {
      response.writeHead(url === '/healthz' && sick.has(name) ? 503 : 200).end(name)
    })
    const checked = `${byCookie}, health: { path: /healthz, every: 100ms, timeout: 30s, unhealthy: 1, healthy: 1 }`
    const gateway = await startBetween(yamlOf(nodes, checked))
    const clients = await loggedIn(gateway, 30)
    sick.add('a')
    await gateway.line(({ msg, target }) => msg === 'target unhealthy' && target === nodes[0]?.url)
    const visits = () => Promise.all(clients.map(({ client }) => client.ask('/')))
    const moved = await visits()
    for (const [i, { home }] of clients.entries()) {
      const { said, given } = moved[i] ?? {}
      if (home === 'a') expect([said, given?.length]).toEqual([expect.stringMatching(/[bc]/), 1])
      else expect([said, given]).toEqual([home, []])
    }
    sick.delete('a')
    await gateway.line(({ msg, target }) => msg === 'target healthy' && target === nodes[0]?.url)
    // Where they are now they have begun anew.
    expect((await visits()).map(({ said }) => said)).toEqual(moved.map(({ said }) => said))
  })

  test('an edit that adds a node moves nobody, and one that takes a node away moves only its own', async () => {
    const nodes = await startNodes(4)
    const gateway = await startBetween(yamlOf(nodes.slice(0, 3), byCookie))
    const clients = await loggedIn(gateway, 30)
    await gateway.rewrite(yamlOf(nodes, byCookie))
    const visits = () => Promise.all(clients.map(async ({ client }) => (await client.ask('/me')).said))
    expect(await visits()).toEqual(clients.map(({ home }) => home))
    await gateway.rewrite(yamlOf(nodes.slice(1), byCookie))
    const homes = await visits()
    for (const [i, { home }] of clients.entries()) {
      if (home === 'a') expect(homes[i]).not.toBe('a')
      else expect(homes[i]).toBe(home)
    }
    expect(await visits()).toEqual(homes)
  })

  test('a WebSocket goes to the node of its client', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, byCookie))
    const clients = await loggedIn(gateway, 12)
    const told = clients.map(({ client }) => {
      const headers = { Cookie: `NODE=${client.cookies.get('NODE')}` }
      const socket = new WebSocket(gateway.url.replace('http', 'ws'), { headers })
      return new Promise<string>((resolve, reject) => {
        socket.once('error', reject)
        socket.once('message', (message) => {
          resolve(String(message))
          socket.terminate()
        })
      })
    })
    expect(await Promise.all(told)).toEqual(clients.map(({ home }) => home))
  })

  test('a forged or foreign value binds nobody', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, byCookie))
    const forged = { Cookie: `NODE=${encodeURIComponent(nodes[0]?.url ?? '')}` }
    const told = await Promise.all(Array.from({ length: 60 }, () => newClient(gateway).ask('/', { fields: forged })))
    expect(new Set(told.map(({ said }) => said))).toEqual(new Set(['a', 'b', 'c']))
    expect(told.every(({ given }) => given.length === 1)).toBe(true)
  })

  test.each<[string, number, Record<string, string>]>([
    ['a failure', 500, {}],
    ['what a cache on the way may give to everybody', 200, { 'Cache-Control': 'public, max-age=60' }],
  ])('%s binds nobody', async (_, status, fields) => {
    const nodes = await startNodes(2, () => (_request, response) => response.writeHead(status, fields).end())
    const gateway = await startBetween(yamlOf(nodes, byCookie))
    expect(await newClient(gateway).ask('/')).toEqual({ status, said: '', given: [] })
  })

  test('what is given from stock binds nobody; whoever was answered by a node is bound to it', async () => {
    const nodes = await startNodes(2, (name) => (_, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end(name)
    })
    const cached = 'routes: [{ name: all, match: { path: "/*" }, upstream: old, cache: { fresh: 60s } }]'
    const gateway = await startBetween(yamlOf(nodes, byCookie, cached))
    const first = await newClient(gateway).ask('/')
    expect(first.given).toEqual([expect.stringMatching(/^NODE=/)])
    expect(await newClient(gateway).ask('/')).toEqual({ status: 200, said: first.said, given: [] })
    expect(nodes.flatMap(({ seen }) => seen)).toHaveLength(1)
  })

  test('each side of a move has a cookie of its own', async () => {
    const nodes = await startNodes(4)
    const yaml = (stage: string) =>
      yamlOf(
        nodes.slice(0, 2),
        byCookie,
        `routes: [{ name: all, match: { path: "/*" }, move: { to: new, stage: ${stage}, mayLogin: true } }]`,
      ).replace(
        'upstreams: {',
        `upstreams: { new: { affinity: { cookie: FRESH }, targets: ["${nodes[2]?.url}", "${nodes[3]?.url}"] },`,
      )
    const gateway = await startBetween(yaml('legacy'))
    const client = newClient(gateway)
    const old = (await client.ask('/')).said
    await gateway.rewrite(yaml('live'))
    const fresh = (await client.ask('/')).said
    expect([old, fresh]).toEqual([expect.stringMatching(/[ab]/), expect.stringMatching(/[cd]/)])
    for (let i = 0; i < 10; i += 1) expect(await client.ask('/')).toMatchObject({ said: fresh, given: [] })
    expect([...client.cookies.keys()]).toEqual(['NODE', 'FRESH'])
    await gateway.rewrite(yaml('legacy'))
    for (let i = 0; i < 10; i += 1) expect(await client.ask('/')).toMatchObject({ said: old, given: [] })
    // No side sees its own cookie or the other's.
    expect(new Set(nodes.flatMap(({ seen }) => seen))).toEqual(new Set(['GET / -']))
  })
})

describe('by address', () => {
  const trusting = 'public: { host: 127.0.0.1, port: 0, trustedProxies: [127.0.0.1] }'
  const from = (i: number) => ({ fields: { 'X-Forwarded-For': `192.0.2.${i}` } })
  const addresses = Array.from({ length: 60 }, (_, i) => i)

  async function start(nodes: readonly Node[]) {
    const header = `probes: { host: 127.0.0.1, port: 0 }\nadmin: { host: 127.0.0.1, port: 0 }\n${trusting}\n`
    const gateway = await startBetween(yamlOf(nodes, 'address'), undefined, header)
    const client = newClient(gateway)
    const homes = () => Promise.all(addresses.map(async (i) => (await client.ask('/', from(i))).said))
    return { gateway, homes }
  }

  test('each address has its node, without a cookie', async () => {
    const nodes = await startNodes(3)
    const { gateway, homes } = await start(nodes)
    const first = await homes()
    expect(new Set(first)).toEqual(new Set(['a', 'b', 'c']))
    expect(await homes()).toEqual(first)
    expect((await newClient(gateway).ask('/', from(1))).given).toEqual([])
  })

  test('a node that is gone moves only its own, and they go home when it is back', async () => {
    const nodes = await startNodes(3)
    const { gateway, homes } = await start(nodes)
    const first = await homes()
    await gateway.rewrite(yamlOf(nodes.slice(0, 2), 'address'))
    const without = await homes()
    for (const [i, home] of first.entries()) {
      if (home === 'c') expect(without[i]).toMatch(/[ab]/)
      else expect(without[i]).toBe(home)
    }
    await gateway.rewrite(yamlOf(nodes, 'address'))
    expect(await homes()).toEqual(first)
  })
})
