// One upstream of several nodes: who is asked, what becomes of a node that is gone, and how much each may have.
import { describe, expect, test } from 'vitest'
import { type Node, newClient, startNodes } from './nodes.ts'
import { startBetween } from './sides.ts'

const yamlOf = (nodes: readonly Node[], more: string, rest = '') => `
paths: { case: exact }
upstreams: { old: { targets: [${nodes.map(({ url }) => `"${url}"`).join(', ')}], ${more} } }
unmatched: old
${rest}`

const rounds = Array.from({ length: 40 }, (_, i) => i)

describe('requests that nothing binds', () => {
  test('go to all nodes, and to no busy one while another is idle', async () => {
    let release = () => {}
    const nodes = await startNodes(2, (name) => (request, response) => {
      if (request.url === '/slow') release = () => response.end(name)
      else response.end(name)
    })
    const gateway = await startBetween(yamlOf(nodes, 'affinity: none'))
    const client = newClient(gateway)
    const all = []
    for (const _ of rounds) all.push((await client.ask('/')).said)
    expect(new Set(all)).toEqual(new Set(['a', 'b']))
    const slow = client.ask('/slow')
    while (nodes.every(({ seen }) => !seen.includes('GET /slow -'))) await client.ask('/')
    const before = nodes.map(({ seen }) => seen.length)
    for (const _ of rounds) await client.ask('/')
    const more = nodes.map(({ seen }, i) => seen.length - (before[i] ?? 0)).sort((one, other) => one - other)
    expect(more).toEqual([0, 40])
    const target = nodes.find(({ seen }) => seen.includes('GET /slow -'))?.url
    expect(await gateway.metric(`banyan_target_active{upstream="old",target="${target}"}`)).toBe(1)
    release()
    expect((await slow).status).toBe(200)
    const after = new Set<string>()
    for (const _ of rounds) after.add((await client.ask('/')).said)
    expect(after).toEqual(new Set(['a', 'b']))
  })

  test('are all answered while a node is gone, whatever their method, and it is told how many it missed', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, 'affinity: none'))
    await nodes[1]?.close()
    const client = newClient(gateway)
    const told = await Promise.all(
      rounds.map((i) => client.ask(`/${i}`, i % 2 === 0 ? { method: 'POST', body: 'x'.repeat(100_000) } : {})),
    )
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(told.map(({ said }) => said))).toEqual(new Set(['a', 'c']))
    const missed = `banyan_target_unreached_total{upstream="old",target="${nodes[1]?.url}"}`
    expect(await gateway.metric(missed)).toBeGreaterThan(0)
    const failed =
      'banyan_upstream_attempts_total{upstream="old",role="primary",blame="upstream",code="upstreamRefused"}'
    expect(await gateway.metric(failed)).toBe(0)
  })

  test('fail once, and not once for each node, when all are gone', async () => {
    const nodes = await startNodes(3)
    const gateway = await startBetween(yamlOf(nodes, 'affinity: none'))
    for (const node of nodes) await node.close()
    const { status, said } = await newClient(gateway).ask('/')
    expect([status, JSON.parse(said).code]).toEqual([502, 'upstreamRefused'])
    const failed =
      'banyan_upstream_attempts_total{upstream="old",role="primary",blame="upstream",code="upstreamRefused"}'
    expect(await gateway.metric(failed)).toBe(1)
  })

  test('that are sent again go to another node', async () => {
    const nodes = await startNodes(2, (name) => (_, response) => response.writeHead(name === 'a' ? 503 : 200).end(name))
    const all = 'routes: [{ name: all, match: { path: "/*" }, upstream: old, retry: { on: [503] } }]'
    const gateway = await startBetween(yamlOf(nodes, 'affinity: none', all))
    const client = newClient(gateway)
    for (const _ of rounds.slice(20)) expect((await client.ask('/')).said).toBe('b')
    expect(nodes[0]?.seen.length).toBeGreaterThan(0)
  })
})

test('a node of two has half of the connections there may be, and the rest waits', async () => {
  const held: (() => void)[] = []
  let come = () => {}
  const nodes = await startNodes(2, (name) => (_, response) => {
    held.push(() => response.end(name))
    come()
  })
  const gateway = await startBetween(yamlOf(nodes, 'affinity: none, maxConnections: 3, connect: 30s'))
  const asked = Array.from({ length: 6 }, () => newClient(gateway).ask('/'))
  while (held.length < 4) await new Promise<void>((resolve) => (come = resolve))
  const waiting = 'banyan_upstream_pending{upstream="old"}'
  while ((await gateway.metric(waiting)) < 2) await newClient({ url: gateway.adminUrl }).ask('/healthz')
  expect(nodes.map(({ seen }) => seen.length)).toEqual([2, 2])
  expect(await gateway.metric('banyan_upstream_connections{upstream="old"}')).toBe(4)
  expect(await gateway.metric('banyan_upstream_connections_most{upstream="old"}')).toBe(4)
  for (const { url } of nodes)
    expect(await gateway.metric(`banyan_target_connections{upstream="old",target="${url}"}`)).toBe(2)
  while (held.length < 6) {
    for (const answer of held.slice()) answer()
    await new Promise<void>((resolve) => (come = resolve))
  }
  for (const answer of held) answer()
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(6).fill(200))
})

test('a reload cuts connections to none of the nodes that stay', async () => {
  const nodes = await startNodes(3)
  const gateway = await startBetween(yamlOf(nodes, 'affinity: none'))
  const connections = () =>
    Promise.all(nodes.map(({ url }) => gateway.metric(`banyan_target_connections{upstream="old",target="${url}"}`)))
  while ((await connections()).some((count) => count === 0)) await newClient(gateway).ask('/')
  const before = await connections()
  await gateway.rewrite(yamlOf(nodes, 'affinity: none, firstByte: 20s'))
  expect(await connections()).toEqual(before)
})

test('each node is sent its own name where Host is to be the target’s, and is led back to where clients are', async () => {
  const nodes = await startNodes(3, () => (request, response) => {
    const others = nodes.map(({ url }) => url).filter((url) => !url.endsWith(request.headers.host ?? '-'))
    response.writeHead(302, { Location: `${others[0]}/v1/next` }).end(request.headers.host)
  })
  const gateway = await startBetween(
    yamlOf(
      nodes.slice(0, 1),
      'connect: 1s',
      `routes: [{ name: all, match: { path: "/shop/*" }, move: { to: new, stage: live, fallback: none, rewrite: { path: /v1, host: target } } }]`,
    ).replace(
      'upstreams: {',
      `upstreams: { new: { affinity: none, targets: [${nodes.map(({ url }) => `"${url}"`)}] },`,
    ),
  )
  const names = new Set<string>()
  for (const _ of rounds) {
    const response = await fetch(`${gateway.url}/shop/x`, { redirect: 'manual' })
    names.add(`http://${await response.text()}`)
    expect(response.headers.get('location')).toBe(`${gateway.url}/shop/next`)
  }
  expect(names).toEqual(new Set(nodes.map(({ url }) => url)))
})

test('status lists the nodes of an upstream that has several', async () => {
  const nodes = await startNodes(2)
  const gateway = await startBetween(yamlOf(nodes, 'affinity: none'))
  const { said } = await newClient({ url: gateway.adminUrl }).ask('/status')
  const [{ origin, balance, connections }] = JSON.parse(said).upstreams
  expect(origin).toBe(nodes[0]?.url)
  expect(connections).toMatchObject({ most: 1024, ofFleet: 1024 })
  const idle = { isUp: true, warmth: 1, active: 0, open: 0, unreached: 0 }
  expect(balance).toEqual({ targets: nodes.map(({ url }) => ({ origin: url, ...idle })), moved: 0 })
})
