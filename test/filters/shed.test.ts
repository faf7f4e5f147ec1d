// Who is refused while the gateway is behind, and how far behind it must be for that.
import { expect, test } from 'vitest'
import { Failure } from '../../gateway/errors.ts'
import { fallback } from '../../gateway/filters/fallback.ts'
import { shed as kind } from '../../gateway/filters/shed.ts'
import type { Answer, Exchange, Filter } from '../../gateway/model.ts'
import { pipeline } from '../../gateway/pipeline.ts'
import { services } from '../config/world.ts'
import { reportOf, routeOf } from '../ops/world.ts'

const standing = { stage: 'live' as const, shareBasisPoints: 10_000 }

/** What becomes of it at that lag with `shedAt: 100ms`. */
async function at(lagMs: number, asked: 'POST' | 'GET' | 'rolled back' | 'fallback'): Promise<string> {
  const route = routeOf('search', 'live')
  const context = { route, isOnAnyRoute: () => false, problem: () => {}, warn: () => {} }
  const why = asked === 'rolled back' ? ('rollback' as const) : ('file' as const)
  const rollouts = { ...services.rollouts, standing: () => ({ ...standing, why }) }
  const refused: string[] = []
  const isBehind = (_: string, atMs: number) => lagMs >= atMs
  const pressure = { lagMs: () => lagMs, isBehind, refused: (priority: string) => void refused.push(priority) }
  const filter = kind.configure({ shedAt: '100ms' }, context)?.bind({ ...services, rollouts, pressure }) as Filter
  const { exchange, answer } = reportOf({ route, exchange: { method: asked === 'POST' ? 'POST' : 'GET' } })
  const next = async (passed: Exchange): Promise<Answer> => {
    const lacking = asked === 'fallback' ? passed.lacksFallback?.() : undefined
    if (lacking) throw lacking
    return answer
  }
  return filter(exchange, next).then(
    ({ status }) => String(status),
    ({ code, status, retryAfterMs, blame }: Failure) => `${status} ${code} ${retryAfterMs} ${blame} ${refused}`,
  )
}

test.each([
  ['fallback', 100, 'yielding'],
  ['rolled back', 100, 'yielding'],
  ['POST', 200, 'unsafe'],
  ['GET', 400, 'safe'],
] as const)('%s is refused from %i ms on, as %s, and told when to come back', async (asked, fromMs, priority) => {
  expect(await at(fromMs - 1, asked)).toBe('200')
  expect(await at(fromMs, asked)).toBe(`503 overloaded 1000 gateway ${priority}`)
})

test('a fallback that is refused does not reach the old side, and says what it was for', async () => {
  const route = routeOf('search', 'live')
  const context = { route, isOnAnyRoute: () => false, problem: () => {}, warn: () => {} }
  const pressure = { lagMs: () => 100, isBehind: (priority: string) => priority === 'yielding', refused: () => {} }
  const rollouts = { ...services.rollouts, standing: () => ({ ...standing, why: 'file' as const }) }
  const bound = [kind.configure({ shedAt: '100ms' }, context), fallback.configure({}, context)]
  const filters = bound.map((one) => one?.bind({ ...services, rollouts, pressure }) as Filter)
  const asked: string[] = []
  const run = pipeline([
    ...filters,
    async ({ upstream }) => {
      asked.push(upstream.name)
      throw new Failure('upstreamRefused', 'nobody listens')
    },
  ])
  const failure = await run(reportOf({ route }).exchange).catch((thrown: Failure) => thrown)
  expect(failure).toMatchObject({ code: 'overloaded', fallback: 'upstreamRefused' })
  expect(asked).toEqual(['search'])
})

test('without shedAt no Route has the filter', () => {
  const context = { route: routeOf('search'), isOnAnyRoute: () => false, problem: () => {}, warn: () => {} }
  expect(kind.configure({}, context)).toBeUndefined()
})
