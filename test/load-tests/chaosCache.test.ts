// The Redis of a cache frozen, killed and restarted under load: the scenario in its short form, and what it would find wrong.
import { expect, it } from 'vitest'
import { type CacheMeasured, type PhaseMeasured, phases, runCache } from '../../load-tests/chaos/cache.ts'
import { judgeCache } from '../../load-tests/chaos/verdict.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { places } from '../harness/places.ts'
import { soon } from '../journey/cachingFleet.ts'

it('is felt by nobody: every answer is whole', async () => {
  const lines: string[] = []
  const start = (yaml: string) => startTestGateway(yaml, places, soon)
  const plan = { ratePerSecond: 40, seconds: 2, seed: 7, say: (line: string) => void lines.push(line) }
  const measured = await runCache(plan, start, new AbortController().signal)
  // What it measures is not judged here, nor how soon Redis is used again: the machine is shared with other tests.
  expect(measured).toMatchObject({ notOk: 0, unsent: 0 })
  expect(measured.requests).toBeGreaterThan(200)
  expect(measured.missed).toBeGreaterThan(0)
  expect(measured.purgesMs).toHaveLength(20)
  expect(measured.phases.map(({ phase }) => phase)).toEqual(phases)
  expect(measured.phases.filter(({ back }) => back).map(({ phase }) => phase)).toEqual(['thawed', 'restarted'])
  expect(lines).toHaveLength(phases.length)
})

const phase = (part: Partial<PhaseMeasured>): PhaseMeasured => ({
  phase: 'before',
  requests: 100,
  p99Ms: 2,
  puts: 20,
  ...part,
})
const back = { afterMs: 300, settledP99Ms: 5.9 }
const thawed = (part: Partial<PhaseMeasured> = {}) => [phase({}), phase({ phase: 'thawed', back, ...part })]
const measured = (part: Partial<CacheMeasured>): CacheMeasured => ({
  phases: thawed(),
  missed: 9,
  requests: 500,
  notOk: 0,
  unsent: 0,
  purgesMs: [3, 4, 90],
  ...part,
})

it.each<[string, Partial<CacheMeasured>, string]>([
  ['passed by what stays within twice the p99 of before and two milliseconds', {}, 'passed'],
  ['failed by a p99 beyond it', { phases: thawed({ back: { ...back, settledP99Ms: 6.1 } }) }, 'failed'],
  ['failed by one answer that was not right', { notOk: 1 }, 'failed'],
  [
    'failed by a Redis that is not used a second after its return',
    { phases: thawed({ back: { ...back, afterMs: 1001 } }) },
    'failed',
  ],
  ['failed by a purge that is heard too late', { purgesMs: [3, 4, 1001] }, 'failed'],
  ['not decided by a client that did not keep up', { unsent: 1 }, 'inconclusive'],
  ['not decided where nobody missed it', { missed: 0 }, 'inconclusive'],
  ['not decided where nothing was put into it after its return', { phases: thawed({ puts: 0 }) }, 'inconclusive'],
])('is %s', (_what, part, result) => expect(judgeCache(measured(part)).result).toBe(result))
