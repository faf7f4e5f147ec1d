// What the breaker filter makes of a request, its answer and the time between them.
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { Failure } from '../../gateway/errors.ts'
import { breaker as kind } from '../../gateway/filters/breaker.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Answer, BreakerSettings, Exchange, Filter, Route } from '../../gateway/model.ts'
import { createBreakers } from '../../gateway/state/breakers.ts'
import { services } from '../config/world.ts'
import { frozenClock, monolith, reportOf, routeOf, search } from '../ops/world.ts'
import { lonelyVotes } from '../state/lonelyVotes.ts'

const settings: BreakerSettings = {
  errorShareBasisPoints: 5_000,
  minRequests: 2,
  windowMs: 10_000,
  openMs: 10_000,
  slow: { afterMs: 1_000, shareBasisPoints: 5_000 },
  engine: 'own',
}
const guarded = { ...search, breaker: settings }

function configured(route: Route) {
  return kind.configure({}, { route, isOnAnyRoute: () => false, problem: () => {}, warn: () => {} })
}

function worldOf(route = routeOf('search', 'live', monolith, guarded)) {
  const clock = frozenClock()
  const breakers = createBreakers({ clock, random: () => 0.5, votes: lonelyVotes(clock), turned: () => {} })
  const filter = configured(route)?.bind({ ...services, clock, breakers }) as Filter
  const circuit = breakers.of(guarded.targets, settings)
  const exchangeOf = (parts: Partial<Exchange> = {}) =>
    reportOf({ route, exchange: { upstream: guarded, ...parts } }).exchange
  const answer = (parts: Partial<Answer> = {}) =>
    answerOf({ status: 200, reason: '', fields: fieldsOf([]), body: undefined, by: 'upstream', ...parts }, clock.now)
  return { clock, circuit, filter, exchangeOf, answer, fail: async () => answer({ status: 500 }) }
}

async function codeOf(answered: Promise<Answer>): Promise<string> {
  return answered.then(
    ({ status }) => String(status),
    (thrown) => (thrown as Failure).code,
  )
}

test('a Route without an upstream that has a breaker does not have the filter', () => {
  expect(configured(routeOf('search', 'live'))).toBe(undefined)
  expect(configured(routeOf('unmatched'))).toBe(undefined)
})

test('the other side of a move is asked on, whatever the circuit of this one', async () => {
  const { filter, exchangeOf, fail } = worldOf()
  for (let i = 0; i < 2; i++) await filter(exchangeOf(), fail)
  expect(await codeOf(filter(exchangeOf(), fail))).toBe('upstreamOpen')
  expect(await codeOf(filter(exchangeOf({ upstream: monolith }), fail))).toBe('500')
})

test('a refusal blames the upstream, has not run, and says when to come back', async () => {
  const { filter, exchangeOf, fail, clock } = worldOf()
  for (let i = 0; i < 2; i++) await filter(exchangeOf(), fail)
  clock.advance(3_500)
  const refused = { code: 'upstreamOpen', blame: 'upstream', mayHaveRun: false, upstream: 'search', status: 503 }
  await expect(filter(exchangeOf(), fail)).rejects.toMatchObject({ ...refused, retryAfterMs: 6_500 })
})

test.each(['shadow', 'noise'] as const)('a request of role %s neither opens it nor is its trial', async (role) => {
  const { filter, exchangeOf, fail, clock, circuit } = worldOf()
  for (let i = 0; i < 10; i++) await filter(exchangeOf({ role }), fail)
  expect(circuit.isClosed()).toBe(true)
  for (let i = 0; i < 2; i++) await filter(exchangeOf(), fail)
  expect(await codeOf(filter(exchangeOf({ role }), fail))).toBe('upstreamOpen')
  clock.advance(10_000)
  expect(await codeOf(filter(exchangeOf({ role }), fail))).toBe('upstreamOpen')
  expect(await codeOf(filter(exchangeOf(), fail))).toBe('500')
})

test.each([
  ['upstreamRefused', false],
  ['upstreamFirstByteTimeout', false],
  ['clientGone', true],
  ['requestTimeout', true],
  ['upstreamBusy', true],
  ['internal', true],
] as const)('%s leaves it closed: %s', async (code, isClosed) => {
  const { filter, exchangeOf, circuit } = worldOf()
  const failing = async () => {
    throw new Failure(code, 'for this test')
  }
  for (let i = 0; i < 5; i++) await codeOf(filter(exchangeOf(), failing))
  expect(circuit.isClosed()).toBe(isClosed)
})

test('a client that is slow to send its body makes no slow upstream', async () => {
  const { filter, exchangeOf, answer, clock, circuit } = worldOf()
  for (let i = 0; i < 5; i++) {
    const body = new PassThrough()
    await filter(exchangeOf({ body }), async () => {
      clock.advance(5_000)
      body.end('x')
      for await (const _ of body);
      clock.advance(1_000)
      return answer()
    })
  }
  expect(circuit.isClosed()).toBe(true)
})

test('an upstream that is slow once it has the body is', async () => {
  const { filter, exchangeOf, answer, clock, circuit } = worldOf()
  for (let i = 0; i < 2; i++) {
    const body = Readable.from([Buffer.from('x')])
    await filter(exchangeOf({ body }), async () => {
      for await (const _ of body);
      clock.advance(1_001)
      return answer()
    })
  }
  expect(circuit.isClosed()).toBe(false)
})

test('what lasts is not waited for; but a body that breaks off has failed, and a tunnel that ends has not', async () => {
  const { filter, exchangeOf, answer, clock, circuit } = worldOf()
  const tunnels = [
    answer({ status: 101, tunnel: new PassThrough() }),
    answer({ status: 101, tunnel: new PassThrough() }),
  ]
  const streams = [answer({ body: new PassThrough() }), answer({ body: new PassThrough() })]
  for (const given of [...tunnels, ...streams]) await filter(exchangeOf(), async () => given)
  clock.advance(9_000)
  const broken = { how: 'upstreamBroke', bodyBytes: 1, at: clock.now() } as const
  for (const given of tunnels) given.settle(broken)
  streams[0]?.settle(broken)
  expect(circuit.isClosed()).toBe(true)
  streams[1]?.settle(broken)
  expect(circuit.isClosed()).toBe(false)
})
