// What a match costs in time on this machine. Run by hand: `node test/routing/timing.ts`. No test: clocks are not flat.
import { findConflicts } from '../../gateway/routing/conflicts.ts'
import { createMatcher } from '../../gateway/routing/matcher.ts'
import { ask, exactRules, routeOf, unmatched } from './asking.ts'

const rounds = 1_000_000

function manyRoutes(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const area = Math.floor(index / 4)
    const paths = [`/a${area}/list`, `/a${area}/:id/items`, `/a${area}/items/:id`, `/a${area}/files/*`]
    return routeOf(`r${index}`, paths[index % 4] ?? '', { methods: ['GET', 'HEAD'] })
  })
}

/** @returns nanoseconds for each call; the targets are made anew each time, as a door does, so that no hash is known. */
function time(matcher: ReturnType<typeof createMatcher>, target: string): number {
  const wire = Buffer.from(target, 'latin1')
  const fields = ask('GET', target, 'Host', 'shop.example', 'Accept', '*/*')
  const run = (matches: boolean) => {
    let length = 0
    const start = process.hrtime.bigint()
    for (let round = 0; round < rounds; round++) {
      const asked = { ...fields, target: wire.toString('latin1') }
      length += matches ? matcher.match(asked).path.length : asked.target.length
    }
    return length > 0 ? Number(process.hrtime.bigint() - start) / rounds : 0
  }
  run(true)
  return run(true) - run(false)
}

for (const count of [10, 100, 10_000]) {
  const routes = manyRoutes(count)
  const startedAt = performance.now()
  const matcher = createMatcher(routes, unmatched, exactRules)
  const builtMs = performance.now() - startedAt
  const declared = routes.map((route, line) => ({ ...route, position: { line, column: 1 } }))
  const conflicts = findConflicts(declared, exactRules).length
  const checkedMs = performance.now() - startedAt - builtMs
  const targets = [
    '/a0/list',
    '/a1/list?q=1',
    '/a1/7/items',
    '/a0/files/x/y',
    '/page/7/of?x=1',
    '/A0/List',
    '/%61%30/x/../list',
  ]
  const times = targets.map((target) => `${target} ${time(matcher, target).toFixed(0)} ns`)
  console.log(
    `${count} routes, built in ${builtMs.toFixed(1)} ms, ${conflicts} conflicts in ${checkedMs.toFixed(1)} ms`,
  )
  console.log(`  ${times.join(', ')}`)
}
