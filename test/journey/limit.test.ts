// Limits over real connections: who is refused, what he is told, and what it costs.
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'

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
