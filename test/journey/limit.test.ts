// Limits over real connections: who is refused, what he is told, and what it costs.
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { until } from '../state/store/stores.ts'

/** As `places`, where clients may say their own addresses. */
const behindProxy = `
public: { host: 127.0.0.1, port: 0, trustedProxies: [127.0.0.1] }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`

/** The gateway before an upstream whose answers cost what their path says: `/tokens/30`, in a field; `/trailing/30`, in a trailer. */
async function startLimited(limit: string, more = '') {
  let hits = 0
  const origin: Origin = await startOrigin((request, response) => {
    hits += 1
    const [, kind, amount = ''] = request.url?.split('/') ?? []
    if (kind === '503') response.statusCode = 503
    if (kind === 'tokens') response.setHeader('X-Tokens-Used', amount)
    if (kind === 'trailing') response.setHeader('Trailer', 'X-Tokens-Used')
    response.write('well')
    if (kind === 'trailing') response.addTrailers({ 'X-Tokens-Used': amount })
    response.end()
  })
  onTestFinished(() => origin.close())
  const gateway = await startTestGateway(
    `
accessLog: off
paths: { case: exact }
upstreams: { only: { url: "${origin.url}" } }
unmatched: only
${more}
routes:
  - name: limited
    match: { path: /* }
    upstream: only
    limit: ${limit}
`,
    behindProxy,
  )
  onTestFinished(() => gateway.close())
  return { gateway, hits: () => hits }
}

interface Told {
  readonly status: number
  readonly left: string
  readonly policy: string
  readonly retryAfter: string
}

type Gateway = Awaited<ReturnType<typeof startLimited>>['gateway']

interface Asking {
  readonly path?: string
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
}

async function ask(
  { url }: Pick<Gateway, 'url'>,
  { path = '/x', method = 'GET', fields = {} }: Asking = {},
): Promise<Told> {
  const response = await fetch(url + path, { method, headers: fields })
  await response.arrayBuffer()
  const field = (name: string) => response.headers.get(name) ?? ''
  return {
    status: response.status,
    left: field('ratelimit'),
    policy: field('ratelimit-policy'),
    retryAfter: field('retry-after'),
  }
}

test('what is more than the limit is refused with how long to wait, and never reaches the upstream', async () => {
  const { gateway, hits } = await startLimited('{ rate: 3/h, per: address }')
  const told = []
  for (let i = 0; i < 3; i++) told.push(await ask(gateway))
  expect(told.map(({ status, left }) => [status, left])).toEqual([
    [200, expect.stringMatching(/^"address 3\/h";r=2;t=1\d\d\d$/)],
    [200, expect.stringMatching(/^"address 3\/h";r=1;t=2\d\d\d$/)],
    [200, expect.stringMatching(/^"address 3\/h";r=0;t=3\d\d\d$/)],
  ])
  expect(told[0]?.policy).toBe('"address 3/h";q=3;w=3600')
  const response = await fetch(gateway.url)
  expect([response.status, response.headers.get('content-type')]).toEqual([429, 'application/problem+json'])
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(1100)
  expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(1200)
  expect(response.headers.get('ratelimit')).toContain('r=0')
  expect(await response.json()).toMatchObject({ code: 'limitExceeded', status: 429 })
  expect(hits()).toBe(3)
  expect(await gateway.metric('banyan_limit_requests_total{route="limited",result="refused"}')).toBe(1)
  expect(await gateway.metric('banyan_limit_requests_total{route="limited",result="allowed"}')).toBe(3)
  const status = (await (await fetch(`${gateway.adminUrl}/status`)).json()) as { routes: unknown[] }
  expect(status.routes[0]).toMatchObject({ limit: { allowed: 3, refused: 1, wouldRefuse: 0 } })
})

const from = (address: string): Asking => ({ fields: { 'X-Forwarded-For': address } })

async function statusesOf(gateway: Gateway, asked: readonly Asking[]): Promise<number[]> {
  const statuses = []
  for (const one of asked) statuses.push((await ask(gateway, one)).status)
  return statuses
}

test('each address has a budget of its own, and all of an IPv6 network have one', async () => {
  const { gateway } = await startLimited('{ rate: 1/h, per: address }')
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.1', '2001:db8::1', '2001:db8:0:0:ffff::2', '2001:db8:0:1::1']
  expect(await statusesOf(gateway, addresses.map(from))).toEqual([200, 200, 429, 200, 429, 200])
})

test('a field tells clients apart, and who leaves it out is known by his address', async () => {
  const { gateway } = await startLimited('{ rate: 1/h, per: { field: X-Tenant } }')
  const tenant = (name: string): Asking => ({ fields: { 'X-Tenant': name } })
  expect(await statusesOf(gateway, [tenant('a'), tenant('b'), tenant('a'), {}, {}, from('192.0.2.9')])).toEqual([
    200, 200, 429, 200, 429, 200,
  ])
})

test('of several limits each must have room, and all of them are told', async () => {
  const { gateway } = await startLimited('[{ rate: 2/h, per: address }, { rate: 3/h, quota: 100/d, per: route }]')
  const told = []
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.3'])
    told.push(await ask(gateway, from(address)))
  expect(told.map(({ status }) => status)).toEqual([200, 200, 429, 200, 429])
  expect(told[0]?.policy).toBe('"address 2/h";q=2;w=3600, "route 3/h";q=3;w=3600, "route daily";q=100;w=86400')
  expect(told.at(-1)?.left).toMatch(/^"address 2\/h";r=2;t=0, "route 3\/h";r=0;t=\d+, "route daily";r=97;t=\d+$/)
})

test('a limit that is tried out refuses nobody and says nothing, and is counted', async () => {
  const { gateway, hits } = await startLimited('{ rate: 1/h, per: route, dryRun: true }')
  const told = [await ask(gateway), await ask(gateway), await ask(gateway)]
  expect(told).toEqual(told.map(() => ({ status: 200, left: '', policy: '', retryAfter: '' })))
  expect(hits()).toBe(3)
  expect(await gateway.metric('banyan_limit_requests_total{route="limited",result="wouldRefuse"}')).toBe(2)
})

test('a preflight costs nothing and is never refused; any other OPTIONS is', async () => {
  const { gateway } = await startLimited('{ rate: 1/h, per: route }')
  const options = (fields: Record<string, string>): Asking => ({ method: 'OPTIONS', fields })
  const preflight = options({ Origin: 'https://a.example', 'Access-Control-Request-Method': 'POST' })
  expect(await statusesOf(gateway, [preflight, preflight, {}, {}, preflight, options({})])).toEqual([
    200, 200, 200, 429, 200, 429,
  ])
})

test.each(['tokens', 'trailing'])(
  'what an answer says in %s that it has cost is settled, and a silent one costs what was reserved',
  async (kind) => {
    const { gateway } = await startLimited(
      '{ quota: 1000/d, per: route, cost: { field: x-tokens-used, reserve: 400 } }',
    )
    const usedUp = async () => Number(/r=(\d+)/.exec((await ask(gateway, { path: '/tokens/0' })).left)?.[1])
    // While it is under way, 400 of what is left are reserved for the request that asks.
    const left = (amount: number) => until(async () => (await usedUp()) === amount - 400)
    await ask(gateway, { path: `/${kind}/30` })
    await left(970)
    await ask(gateway, { path: '/x' })
    await left(570)
    await ask(gateway, { path: `/${kind}/9999` })
    await until(async () => (await ask(gateway, { path: '/tokens/0' })).status === 429)
  },
)

test('what is answered from the cache costs what the file says, whatever the stored answer says', async () => {
  const { gateway, hits } = await startLimited(
    '{ quota: 100/d, per: route, cost: { field: x-tokens-used, reserve: 10 } }\n    cache: { fresh: 1h }',
  )
  for (let i = 0; i < 40; i++) expect((await ask(gateway, { path: '/tokens/10' })).status).toBe(200)
  expect(hits()).toBe(1)
})

test('what is asked again costs nothing more', async () => {
  const { gateway, hits } = await startLimited('{ rate: 3/h, per: route }\n    retry: { attempts: 1, on: [503] }')
  const failing = { path: '/503' }
  expect(await statusesOf(gateway, [failing, failing, failing, failing])).toEqual([503, 503, 503, 429])
  expect(hits()).toBe(6)
})

test('a refused request leaves its connection open', async () => {
  const { gateway } = await startLimited('{ rate: 1/h, per: route }')
  const wire = await openWire(gateway.port, 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n')
  await wire.until(/well/)
  wire.socket.write(
    'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  )
  const { received } = await wire.closed()
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 429', 'HTTP/1.1 429'])
})
