// Over random answers, credentials and ways of asking, through whole gateways that share a Redis: nobody is given what was made
// for another, unless the answer says that others may have it (RFC 9111 §3.5), or was made for nobody in particular.
// `CASES=3000 vitest run …` takes more of them; a failure prints its seed.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFolder } from '../cli/banyan.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { type RedisServer, startRedis } from '../redis/server.ts'
import { ask, type Heard } from './caching.ts'
import { order } from './fleet.ts'
import { audience, bearer, issuerName, keySetOf, makeKey, tokenBy } from './issuer.ts'

const cases = Number(process.env.CASES ?? 300)

/** Whom somebody is known as, and one of the things that he shows. */
interface Visitor {
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
  /** Known at one gateway alone: at the other his key opens nothing, goes no further, and he is nobody there. */
  readonly only?: number
}

let visitors: readonly Visitor[]
let origin: Origin
let redis: RedisServer
let gateways: readonly TestGateway[]
/** What the origin answers to a path from now on, and which of the turns that is. */
const plans = new Map<string, { readonly plan: Plan; readonly turn: number }>()
let made = 0

const routes = ['shared', 'own', 'known', 'knownOwn'] as const
type RouteName = (typeof routes)[number]

const directives = [
  'max-age=100',
  'max-age=0',
  'public',
  's-maxage=100',
  'must-revalidate',
  'private',
  'no-store',
] as const
const more = ['no-cache', 'stale-while-revalidate=100', 'stale-if-error=100', 'immutable', 'PRIVATE="x"'] as const

const plan = fc.record({
  control: fc.uniqueArray(fc.constantFrom(...directives, ...more), { maxLength: 3 }),
  vary: fc.constantFrom(undefined, undefined, undefined, 'Cookie', 'Authorization', 'X-Kind', '*'),
  setsCookie: fc.constantFrom(true, false, false, false, false),
  hasTag: fc.boolean(),
  ageSeconds: fc.constantFrom(0, 0, 0, 101, 150),
})
const asking = fc.record({
  who: fc.nat(),
  at: fc.nat(),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  how: fc.constantFrom<Record<string, string>>(
    {},
    {},
    {},
    { Range: 'bytes=0-5' },
    { 'If-None-Match': '"tag"' },
    { 'X-Kind': 'b' },
  ),
})
/** Who asks at once, turn by turn; before each the origin changes its mind. */
const turns = fc.array(fc.tuple(plan, fc.array(asking, { minLength: 1, maxLength: 4 })), { minLength: 3, maxLength: 6 })

type FromArbitrary<A> = A extends fc.Arbitrary<infer T> ? T : never
type Plan = FromArbitrary<typeof plan>
type Asking = FromArbitrary<typeof asking>
type Turn = readonly [Plan, readonly Asking[]]

function fieldsOf({ control, vary, setsCookie, hasTag, ageSeconds }: Plan, stamp: string, isSame: boolean) {
  return {
    // A 304 that says nothing of who may have it leaves that as it was (RFC 9111 §3.2): then nothing else of it is new either.
    ...((!isSame || control.length > 0) && { 'X-For': stamp }),
    Date: new Date().toUTCString(),
    Age: String(ageSeconds),
    ...(control.length > 0 && { 'Cache-Control': control.join(', ') }),
    ...(vary !== undefined && { Vary: vary }),
    ...(setsCookie && !isSame && { 'Set-Cookie': 'SESSION=new' }),
    ...(hasTag && { ETag: '"tag"' }),
  }
}

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    const { headers, url = '' } = request
    const found = plans.get(url)
    if (!found) throw new Error(`nobody asks for ${url}`)
    const isSame = found.plan.hasTag && headers['if-none-match'] === '"tag"'
    const stamp = `${headers['x-stamp']}|${found.turn}${found.plan.setsCookie && !isSame ? '!' : ''}`
    response.writeHead(isSame ? 304 : 200, fieldsOf(found.plan, stamp, isSame))
    made += 1
    response.end(request.method === 'HEAD' || isSame ? undefined : stamp)
  })
  redis = await startRedis()
  const folder = await newFolder()
  const key = await makeKey('k')
  const jwks = await folder.write('jwks.json', keySetOf([key]))
  gateways = await Promise.all([1, 2].map(() => startTestGateway(yamlOf(jwks))))
  const tokens = await Promise.all(['alice', 'alice', 'bob'].map((sub) => tokenBy(key, { claims: { sub } })))
  visitors = [
    ...(await strangersAndKeys()),
    ...tokens.map((token, i) => ({ name: i < 2 ? 'alice' : 'bob', fields: bearer(token) })),
  ]
})
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close()))
  await redis.stop()
  await origin.close()
})

/** A key is taken off on its way, so that who asked is told by a field of its own, which nothing goes by. */
async function strangersAndKeys(): Promise<readonly Visitor[]> {
  const [first] = gateways
  if (!first) throw new Error('there is no gateway')
  const keys = await Promise.all(
    ['carol', 'dave'].map(async (owner) => String((await order(first, 'keys', { owner })).body.key)),
  )
  return [
    { name: 'nobody', fields: {} },
    { name: 'nobody', fields: { Cookie: 'theme=dark' } },
    { name: 'erin', fields: { Cookie: 'theme=dark; SESSION=planted-erin' } },
    { name: 'frank', fields: { Cookie: 'SESSION=planted-frank' } },
    { name: 'grace', fields: { Authorization: 'Basic cGxhbnRlZC1ncmFjZQ==' } },
    { name: 'heidi', fields: { 'X-Api-Key': 'planted-heidi' } },
    ...keys.map((key, i) => ({ name: `key ${i}`, fields: { 'X-Api-Key': key }, only: 0 })),
  ]
}

const yamlOf = (jwks: string) => `
accessLog: off
stateDir: ./var
sessionCookie: SESSION
paths: { case: exact }
store: { cache: "${redis.url}" }
issuers: [{ issuer: "${issuerName}", jwks: "${jwks}", audience: ["${audience}"] }]
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
routes:
  - { name: shared, match: { path: /shared/* }, upstream: origin, cache: { fresh: 60s, staleWhileRevalidate: 60s } }
  - { name: own, match: { path: /own/* }, upstream: origin, cache: { fresh: 60s, staleWhileRevalidate: 60s, per: identity } }
  - { name: known, match: { path: /known/* }, upstream: origin, auth: { any: [jwt, apiKey], mode: report }, cache: { fresh: 60s } }
  - { name: knownOwn, match: { path: /knownOwn/* }, upstream: origin, auth: { any: [jwt, apiKey], mode: report }, cache: { fresh: 60s, per: identity } }
`

interface Given {
  readonly to: string
  /** `NAME|TURN` of the answer's head and of its body, as far as it has one; `!` behind it: with a cookie for him. */
  readonly stamps: readonly string[]
}

async function given(path: string, { who, at, method, how }: Asking): Promise<Given> {
  const visitor = visitors[who % visitors.length]
  const gateway = gateways[visitor?.only ?? at % gateways.length]
  if (!visitor || !gateway) throw new Error('there is nobody')
  const fields = { Host: 'site.example', 'X-Stamp': visitor.name, ...visitor.fields, ...how }
  const heard = await ask(gateway.url + path, fields, method)
  return { to: visitor.name, stamps: stampsOf(heard) }
}

function stampsOf({ status, fields, text }: Heard): readonly string[] {
  expect([200, 206, 304]).toContain(status)
  const head = fields['x-for'] === undefined ? [] : [String(fields['x-for'])]
  // The first bytes of a body say whose it is, too.
  return text === '' ? head : [...head, status === 206 ? wholeOf(text) : text]
}

/** No name is the beginning of another. */
function wholeOf(part: string): string {
  const name = visitors.map((visitor) => visitor.name).find((known) => known.startsWith(part.replace(/\|.*/s, '')))
  return `${name}|${/\|(\d+)/.exec(part)?.[1] ?? 'any'}`
}

const shares = (plan: Plan) => plan.control.some((word) => ['public', 's-maxage=100', 'must-revalidate'].includes(word))
const forbids = ({ control, vary }: Plan) =>
  vary === '*' || control.some((word) => ['private', 'no-store', 'PRIVATE="x"'].includes(word))

/** Whether that may be given to them. */
function isRight(route: RouteName, to: string, stamp: string, all: readonly Turn[]): boolean {
  const [madeFor, turn = ''] = stamp.split('|')
  if (madeFor === to) return true
  // It came with a cookie.
  if (turn.endsWith('!')) return false
  if (route === 'own' || route === 'knownOwn') return false
  const plans =
    turn === 'any' ? all.map(([plan]) => plan) : all.slice(Number(turn), Number(turn) + 1).map(([plan]) => plan)
  return plans.some((plan) => !forbids(plan) && (madeFor === 'nobody' || shares(plan)))
}

test(`nobody is given another's answer, in ${cases} random visits of many at two gateways`, async () => {
  const counts = { asked: 0, foreign: 0 }
  let nth = 0
  const visit = async (route: RouteName, all: readonly Turn[]) => {
    nth += 1
    const path = `/${route}/${nth}`
    for (const [turn, [plan, crowd]] of all.entries()) {
      plans.set(path, { plan, turn })
      const told = await Promise.all(crowd.map((asking) => given(path, asking)))
      counts.asked += told.length
      counts.foreign += told.filter(({ to, stamps }) => stamps.some((stamp) => !stamp.startsWith(`${to}|`))).length
      const wrong = told.filter(({ to, stamps }) => !stamps.every((stamp) => isRight(route, to, stamp, all)))
      expect(wrong, JSON.stringify(all.map(([plan]) => plan))).toEqual([])
    }
  }
  await fc.assert(fc.asyncProperty(fc.constantFrom(...routes), turns, visit), { numRuns: cases, endOnFailure: true })
  // Else it would hold for a gateway that stores nothing, or shares nothing.
  expect(made).toBeLessThan(counts.asked * 0.97)
  expect(counts.foreign).toBeGreaterThan(cases / 30)
}, 300_000)

test('what a 304 says that was asked for with a session is not given to others, once it stops saying that it may be', async () => {
  const visitorOf = (name: string) => visitors.findIndex((visitor) => visitor.name === name)
  const path = '/shared/confirmed'
  const visit = async (turn: number, name: string, control: Plan['control']) => {
    const plan: Plan = { control, vary: undefined, setsCookie: false, hasTag: true, ageSeconds: 0 }
    plans.set(path, { plan, turn })
    return (await given(path, { who: visitorOf(name), at: 0, method: 'GET', how: {} })).stamps
  }
  expect(await visit(0, 'nobody', ['public', 'max-age=0', 'must-revalidate'])).toEqual(['nobody|0', 'nobody|0'])
  expect(await visit(1, 'frank', ['max-age=100'])).toEqual(['frank|1', 'nobody|0'])
  expect(await visit(2, 'nobody', ['max-age=100'])).toEqual(['nobody|2', 'nobody|2'])
})
