// The share of a canary over many clients: exact, and changed only at its edge.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { split } from '../../gateway/filters/split.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Services } from '../../gateway/model/ports.ts'
import type { Exchange, RouteDeclaration, Upstream } from '../../gateway/model.ts'
import { services } from '../config/world.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { newStateDir, start } from '../state/rolloutWorld.ts'

const upstream = (name: string) => ({ name }) as Upstream
const [from, to] = [upstream('old'), upstream('new')]
const identities = Array.from({ length: 100_000 }, (_, i) => `client ${i}`)

/** The clients that the new side answers at that share. */
async function answeredByNew(shareBasisPoints: number, ports: Services): Promise<Set<string>> {
  const rollout = rolloutOf('search', { stage: 'canary', shareBasisPoints, stickyBy: { by: 'field', name: 'x-user' } })
  const route: RouteDeclaration = {
    name: 'search',
    match: { path: '/search' },
    position: { line: 1, column: 1 },
    upstream: from,
    keepBodyBytes: 0,
    move: { from, to, stage: 'canary', rollout },
  }
  const filter = split
    .configure({}, { route, isOnAnyRoute: () => false, problem: () => {}, warn: () => {} })
    ?.bind(ports)
  if (!filter) throw new Error('a route that moves is split')
  const found = new Set<string>()
  const answer = answerOf({ status: 200, reason: '', fields: fieldsOf([]), body: undefined, by: 'upstream' }, () => 0)
  const next = async (exchange: Exchange) => {
    if (exchange.upstream === to) found.add(exchange.fields.get('x-user') ?? '')
    return answer
  }
  for (const identity of identities)
    await filter({ fields: fieldsOf(['X-User', identity]), method: 'GET', upstream: from } as Exchange, next)
  return found
}

test('100 000 clients at 5, 20, 10 and 0 %: the share is exact, and nobody flips but whom a change adds or takes away', async () => {
  const stateDir = await newStateDir()
  await mkdir(stateDir)
  // Else, once in some thousand runs, the key would be one of those that stray further.
  await writeFile(join(stateDir, 'splitKey'), '0123456789abcdef')
  const { book } = await start(stateDir)
  const ports = { ...services, rollouts: book }
  const [five, twenty, ten, none] = [
    await answeredByNew(500, ports),
    await answeredByNew(2_000, ports),
    await answeredByNew(1_000, ports),
    await answeredByNew(0, ports),
  ]
  const percent = (found: Set<string>) => (found.size * 100) / identities.length
  for (const [found, share] of [
    [five, 5],
    [twenty, 20],
    [ten, 10],
  ] as const) {
    expect(Math.abs(percent(found) - share)).toBeLessThanOrEqual(0.5)
  }
  expect(none.size).toBe(0)
  // Raising it only adds, lowering it takes away those that were added last.
  const strays = (few: Set<string>, many: Set<string>) => [...few].filter((identity) => !many.has(identity))
  expect([strays(five, ten), strays(ten, twenty)]).toEqual([[], []])
}, 60_000)
