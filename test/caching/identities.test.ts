// Over random answers, cookies and credentials: nobody is given what was made for another. The decisions are the gateway's own;
// the stock is a list, and what may be given is known from how each answer was made up, not from what it says.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { audienceOf } from '../../gateway/caching/audience.ts'
import { judge } from '../../gateway/caching/freshness.ts'
import { refusalToStore } from '../../gateway/caching/mayStore.ts'
import { placeOf } from '../../gateway/caching/place.ts'
import { pick, type Stored, storedHeadOf } from '../../gateway/caching/stored.ts'
import { wishesOf } from '../../gateway/caching/wishes.ts'
import type { CacheRules, Exchange } from '../../gateway/model.ts'
import { answer, epoch, fields } from './world.ts'

/** `all`: RFC 9111 §3.5 lets others have it; `nobody`: it may not be stored at all. */
type Grant = 'all' | 'nobody' | 'none'

const directives: readonly (readonly [text: string, grant: Grant])[] = [
  ['max-age=100', 'none'],
  ['MAX-AGE="100"', 'none'],
  ['immutable', 'none'],
  ['proxy-revalidate', 'none'],
  ['no-transform', 'none'],
  ['x="public, s-maxage=5"', 'none'],
  ['public;x', 'none'],
  ['s-maxage=soon', 'none'],
  ['stale-while-revalidate=100', 'none'],
  ['public', 'all'],
  ['Public', 'all'],
  ['s-maxage=100', 'all'],
  ['must-revalidate', 'all'],
  ['private', 'nobody'],
  ['PRIVATE', 'nobody'],
  ['private="x-user"', 'nobody'],
  ['no-store', 'nobody'],
  ['no-store;max-age=9', 'nobody'],
]

const credentials: readonly (readonly string[])[] = [
  [],
  ['Cookie: theme=dark'],
  ['Cookie: SESSION=alice'],
  ['Cookie: theme=dark; SESSION=alice'],
  ['cookie: SESSION=bob'],
  ['Authorization: Bearer alice'],
  ['authorization: Bearer bob'],
  ['X-Api-Key: alice'],
  ['X-API-KEY: bob'],
  ['Authorization: Bearer alice', 'Cookie: SESSION=bob'],
]

/** Who the origin takes the request for. */
function whois(lines: readonly string[]): string {
  const told = lines.flatMap((line) => line.match(/(?:SESSION=|Bearer |-key: )\w+/gi) ?? [])
  return (
    told
      .map((text) => text.toLowerCase())
      .sort()
      .join('+') || 'anybody'
  )
}

const request = fc.record({
  who: fc.constantFrom(...credentials),
  language: fc.constantFrom(undefined, 'en', 'de'),
  path: fc.constantFrom('/me', '/news'),
  upstream: fc.constantFrom('old', 'new'),
  wish: fc.constantFrom(undefined, 'max-stale', 'no-cache', 'max-age=50'),
  afterSeconds: fc.integer({ min: 0, max: 15 }),
})

const made = fc.record({
  said: fc.array(fc.constantFrom(...directives), { maxLength: 3 }),
  vary: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    'Accept-Language',
    'cookie',
    'Authorization, accept-language',
    '*',
  ),
  setsCookie: fc.constantFrom(true, false, false, false),
  hasTag: fc.boolean(),
  status: fc.constantFrom(200, 200, 200, 404, 301),
})

interface Given {
  readonly to: string
  readonly language: string | undefined
  readonly upstream: string
  readonly path: string
}

interface Kept extends Stored {
  readonly madeFor: Given
  readonly grants: readonly Grant[]
  readonly vary: readonly string[]
}

type FromArbitrary<A> = A extends fc.Arbitrary<infer T> ? T : never
type Asking = FromArbitrary<typeof request>
type Made = FromArbitrary<typeof made>

interface Hit {
  readonly given: Given
  readonly from: Kept
}

function exchangeOf({ who, language, path, upstream, wish }: Asking): Exchange {
  const more = [...(language ? [`Accept-Language: ${language}`] : []), ...(wish ? [`Cache-Control: ${wish}`] : [])]
  return {
    ...{ method: 'GET', target: path, path, fields: fields('Host: a', ...who, ...more), route: { name: 'r' } },
    client: { peerTrusted: false, tls: false },
    upstream: { name: upstream, target: { origin: `http://${upstream}` } },
  } as unknown as Exchange
}

function answeredBy({ said, vary, setsCookie, hasTag, status }: Made, upstream: string) {
  const control = said.map(([text]) => text).join(', ')
  const answered = [
    ...(control === '' ? [] : [`Cache-Control: ${control}`]),
    ...(vary ? [`Vary: ${vary}`] : []),
    ...(setsCookie ? ['Set-Cookie: SESSION=fresh'] : []),
    ...(hasTag ? ['ETag: "a"'] : []),
  ]
  return { ...answer({ status, answered }), upstream }
}

/** Takes the turns through the gateway's decisions. @returns each answer from stock, with whom it was given to */
function run(turns: readonly (readonly [Asking, Made])[], rules: CacheRules): Hit[] {
  const stock = new Map<string, Kept[]>()
  let nowMs = epoch
  return turns.flatMap(([asking, origin]) => {
    nowMs += asking.afterSeconds * 1000
    const { who, language, upstream, path } = asking
    const exchange = exchangeOf(asking)
    const asked = exchange.fields
    const audience = audienceOf({ fields: asked }, rules)
    const { key = '' } = placeOf(exchange, audience, rules) ?? {}
    const kept = stock.get(key) ?? []
    const wishes = wishesOf(asked)
    const given = { to: whois(who), language, upstream, path }
    const from = pick(kept, asked, audience.isKnown)
    if (from && judge({ stored: from, wishes, rules, nowMs }).use !== 'validate') return [{ given, from }]
    const answered = answeredBy(origin, upstream)
    const times = { requestedAtMs: nowMs, receivedAtMs: nowMs }
    const head = storedHeadOf({ answer: answered, asked, upstream, isAnybodys: !audience.isKnown, ...times })
    if (refusalToStore({ method: 'GET', wishes, upstream }, answered, head, rules) !== undefined || !head) return []
    const grants = [...origin.said.map(([, grant]) => grant), ...(origin.setsCookie ? (['nobody'] as const) : [])]
    stock.set(key, [...kept, { ...head, body: Buffer.from(''), madeFor: given, grants }])
    return []
  })
}

const turns = fc.array(fc.tuple(request, made), { minLength: 10, maxLength: 30 })
const rules: CacheRules = {
  negativeMs: new Map([[404, 50_000]]),
  isPerIdentity: false,
  saysStatus: false,
  sessionCookie: 'SESSION',
  freshMs: 50_000,
  staleWhileRevalidateMs: 20_000,
  staleIfErrorMs: 20_000,
}

/** What would be wrong with it, whoever asked. */
function isWrong({ given, from }: { given: Given; from: Kept }): boolean {
  const { madeFor, grants, vary } = from
  if (grants.includes('nobody') || vary.includes('*')) return true
  if (madeFor.upstream !== given.upstream || madeFor.path !== given.path) return true
  return vary.includes('accept-language') && madeFor.language !== given.language
}

describe("two identities never get each other's answer", () => {
  test('from a stock in common, but by what RFC 9111 §3.5 grants', () => {
    let hits = 0
    let shared = 0
    fc.assert(
      fc.property(turns, (all) => {
        const given = run(all, rules)
        hits += given.length
        shared += given.filter(({ given, from }) => given.to !== from.madeFor.to).length
        const wrong = given.filter(
          (one) => isWrong(one) || (one.given.to !== one.from.madeFor.to && !one.from.grants.includes('all')),
        )
        expect(wrong).toEqual([])
      }),
      { numRuns: 1_500 },
    )
    // Else it would hold for a gateway that stores nothing.
    expect(hits).toBeGreaterThan(1_000)
    expect(shared).toBeGreaterThan(50)
  })

  test('from stocks of their own, whatever the answer grants', () => {
    let hits = 0
    fc.assert(
      fc.property(turns, (all) => {
        const given = run(all, { ...rules, isPerIdentity: true })
        hits += given.filter(({ given }) => given.to !== 'anybody').length
        expect(given.filter((one) => isWrong(one) || one.given.to !== one.from.madeFor.to)).toEqual([])
      }),
      { numRuns: 1_500 },
    )
    expect(hits).toBeGreaterThan(500)
  })

  test('where no session cookie is named, and any cookie may be one', () => {
    const { sessionCookie: _, ...unnamed } = rules
    fc.assert(
      fc.property(turns, (all) => {
        const given = run(all, unnamed)
        expect(
          given.filter(
            (one) => isWrong(one) || (one.given.to !== one.from.madeFor.to && !one.from.grants.includes('all')),
          ),
        ).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})
