// Nodes that fail while others do not, over real sockets: by their requests, by their checks, and what clients notice of it.
import type { RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { type Node, newClient, startNodes } from './nodes.ts'
import { startBetween } from './sides.ts'

const yamlOf = (nodes: readonly Node[], more: string, comment = '') => `# ${comment}
paths: { case: exact }
upstreams: { old: { targets: [${nodes.map(({ url }) => `"${url}"`).join(', ')}], affinity: none, ${more} } }
unmatched: old
`

const rounds = Array.from({ length: 40 }, (_, i) => i)

/** Those of `names` are sick. */
function sickening() {
  const names = new Set<string>()
  const listener = (name: string): RequestListener => {
    return (_, response) => void response.writeHead(names.has(name) ? 503 : 200).end(name)
  }
  return { names, listener }
}

/** Asks until somebody has answered 503 so often. @returns how many did so */
async function askUntilSick(gateway: TestGateway, times: number): Promise<number> {
  const client = newClient(gateway)
  let sick = 0
  for (let i = 0; i < 10_000 && sick < times; i++) if ((await client.ask('/')).status === 503) sick += 1
  return sick
}

async function statuses(gateway: TestGateway): Promise<Set<number>> {
  const client = newClient(gateway)
  const told = []
  for (const _ of rounds) told.push((await client.ask('/')).status)
  return new Set(told)
}

const ofTarget = (name: string, node: Node | undefined) => `${name}{upstream="old",target="${node?.url}"}`

async function sumOf(gateway: TestGateway, name: string, nodes: readonly Node[]): Promise<number> {
  const values = await Promise.all(nodes.map((node) => gateway.metric(ofTarget(name, node))))
  return values.reduce((sum, value) => sum + value, 0)
}

describe('a node whose requests fail', () => {
  test('is left alone after five in a row, and operators see it', async () => {
    const { names, listener } = sickening()
    const nodes = await startNodes(3, listener)
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 5m }'))
    names.add('b')
    expect(await askUntilSick(gateway, 5)).toBe(5)
    expect(await gateway.line(({ msg }) => msg === 'target ejected')).toMatchObject({
      upstream: 'old',
      target: nodes[1]?.url,
      reason: '5 requests in a row failed; it is left alone for 300 s',
    })
    expect(await statuses(gateway)).toEqual(new Set([200]))
    expect(nodes[1]?.seen).toHaveLength(5)
    expect(await gateway.metric(ofTarget('banyan_target_ejected', nodes[1]))).toBe(1)
    expect(await gateway.metric(ofTarget('banyan_target_up', nodes[1]))).toBe(0)
    expect(await sumOf(gateway, 'banyan_target_ejections_total', nodes)).toBe(1)
    const status = (await (await fetch(`${gateway.adminUrl}/status`)).json()) as { upstreams: object[] }
    expect(status.upstreams[0]).toMatchObject({
      watch: { targets: [{ isUp: true, ejections: 0 }, { target: nodes[1]?.url, isUp: false, ejections: 1 }, {}] },
    })
  })

  test('stays left alone when the file is edited elsewhere, and is asked again when the file wants no outliers', async () => {
    const { names, listener } = sickening()
    const nodes = await startNodes(3, listener)
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 5m }'))
    names.add('c')
    await askUntilSick(gateway, 5)
    await gateway.rewrite(yamlOf(nodes, 'outliers: { eject: 5m }', 'a word'))
    expect(await statuses(gateway)).toEqual(new Set([200]))
    await gateway.rewrite(yamlOf(nodes, 'idle: 60s'))
    expect(await askUntilSick(gateway, 1)).toBe(1)
  })

  test('comes back by itself, not before its time', async () => {
    const { names } = sickening()
    const times: number[] = []
    const nodes = await startNodes(3, (name) => (_, response) => {
      if (name === 'a') times.push(performance.now())
      response.writeHead(names.has(name) ? 503 : 200).end(name)
    })
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 400ms }'))
    names.add('a')
    await askUntilSick(gateway, 5)
    names.clear()
    const client = newClient(gateway)
    for (let i = 0; i < 100_000 && times.length < 6; i++) await client.ask('/')
    const [fifth = 0, sixth = 0] = times.slice(4)
    expect(sixth - fifth).toBeGreaterThanOrEqual(400)
    expect(await statuses(gateway)).toEqual(new Set([200]))
  })

  test('is not left alone when it is one more than may be', async () => {
    const { names, listener } = sickening()
    const nodes = await startNodes(3, listener)
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 5m }'))
    for (const name of ['a', 'b', 'c']) names.add(name)
    expect(await askUntilSick(gateway, 60)).toBe(60)
    expect(await sumOf(gateway, 'banyan_target_ejected', nodes)).toBe(1)
    expect(nodes.filter(({ seen }) => seen.length > 5)).toHaveLength(2)
  })

  test('is not left alone when there is but one other', async () => {
    const { names, listener } = sickening()
    const nodes = await startNodes(2, listener)
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 5m }'))
    names.add('a')
    expect(await askUntilSick(gateway, 20)).toBe(20)
    expect(await sumOf(gateway, 'banyan_target_ejected', nodes)).toBe(0)
  })

  test('is left alone as well when it is gone, or breaks off', async () => {
    const nodes = await startNodes(3, (name) => (_, response) => {
      if (name !== 'a') return void response.end(name)
      response.writeHead(200, { 'Content-Length': 99 }).write('half', () => response.socket?.destroy())
    })
    const gateway = await startBetween(yamlOf(nodes, 'outliers: { eject: 5m, max: 70% }'))
    await nodes[1]?.close()
    const client = newClient(gateway)
    for (let i = 0; i < 10_000 && (await sumOf(gateway, 'banyan_target_ejected', nodes)) < 2; i++)
      await client.ask('/').catch(() => {})
    expect(await statuses(gateway)).toEqual(new Set([200]))
    expect(nodes[0]?.seen).toHaveLength(5)
  })
})

describe('a node whose checks fail', () => {
  const health = 'health: { path: "/healthz?deep=1", every: 100ms, timeout: 30s, unhealthy: 2, healthy: 2 }'

  /** Only `/healthz` says that it is sick: its answers are as good as any. */
  function checked() {
    const names = new Set<string>()
    const heads: string[] = []
    const listener = (name: string): RequestListener => {
      return ({ url = '', headers }, response) => {
        const isCheck = url.startsWith('/healthz')
        if (isCheck) heads.push(`${headers.host} ${headers['banyan-role']} ${headers.cookie ?? 'no cookie'}`)
        response.writeHead(isCheck && names.has(name) ? 500 : 200).end(name)
      }
    }
    return { names, heads, listener }
  }

  const requestsTo = (node: Node | undefined) => node?.seen.filter((line) => line.startsWith('GET / ')).length

  test('is sent no request until they are good again', async () => {
    const { names, heads, listener } = checked()
    const nodes = await startNodes(2, listener)
    const gateway = await startBetween(yamlOf(nodes, health))
    names.add('a')
    expect(await gateway.line(({ msg }) => msg === 'target unhealthy')).toMatchObject({
      upstream: 'old',
      target: nodes[0]?.url,
      reason: '2 checks in a row said so: /healthz?deep=1 was answered 500',
    })
    const before = requestsTo(nodes[0])
    expect(await statuses(gateway)).toEqual(new Set([200]))
    expect(requestsTo(nodes[0])).toBe(before)
    expect(await gateway.metric(ofTarget('banyan_target_healthy', nodes[0]))).toBe(0)
    expect(await gateway.metric(ofTarget('banyan_target_up', nodes[0]))).toBe(0)
    names.clear()
    expect(await gateway.line(({ msg }) => msg === 'target healthy')).toMatchObject({ target: nodes[0]?.url })
    const client = newClient(gateway)
    for (let i = 0; i < 10_000 && requestsTo(nodes[0]) === before; i++) await client.ask('/')
    expect(requestsTo(nodes[0])).toBeGreaterThan(before ?? 0)
    expect(heads).toContain(`${nodes[0]?.url.slice('http://'.length)} health no cookie`)
  })

  test('is asked all the same when it is the only one, and shown', async () => {
    const { names, listener } = checked()
    names.add('a')
    const nodes = await startNodes(1, listener)
    const gateway = await startBetween(yamlOf(nodes, health))
    await gateway.line(({ msg }) => msg === 'target unhealthy')
    expect(await statuses(gateway)).toEqual(new Set([200]))
    expect(await gateway.metric(ofTarget('banyan_target_healthy', nodes[0]))).toBe(0)
    const failed = `banyan_target_checks_total{upstream="old",target="${nodes[0]?.url}",found="failed"}`
    expect(await gateway.metric(failed)).toBeGreaterThanOrEqual(2)
  })

  test('is asked when all others fail too: nothing is to be lost', async () => {
    const { names, listener } = checked()
    for (const name of ['a', 'b']) names.add(name)
    const nodes = await startNodes(2, listener)
    const gateway = await startBetween(yamlOf(nodes, health))
    for (const { url } of nodes) await gateway.line(({ msg, target }) => msg === 'target unhealthy' && target === url)
    expect(await statuses(gateway)).toEqual(new Set([200]))
  })

  test('is checked although all connections that requests may have are taken', async () => {
    const held: (() => void)[] = []
    const nodes = await startNodes(1, () => ({ url }, response) => {
      if (url === '/hang') held.push(() => response.end('late'))
      else response.writeHead(503).end()
    })
    const gateway = await startBetween(yamlOf(nodes, `maxConnections: 1, ${health}`))
    const hanging = newClient(gateway).ask('/hang')
    await gateway.line(({ msg }) => msg === 'target unhealthy')
    for (const end of held) end()
    expect((await hanging).said).toBe('late')
  })
})
