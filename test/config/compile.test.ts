import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { compile } from '../../gateway/config/compile.ts'
import { createLive } from '../../gateway/config/live.ts'
import { read } from '../../gateway/config/read.ts'
import { type FilterKind, filterKind } from '../../gateway/filter.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf, noFields } from '../../gateway/message/fields.ts'
import type { Services } from '../../gateway/model/ports.ts'
import type { Exchange, Snapshot } from '../../gateway/model.ts'
import { sound, services as world } from './world.ts'

const text = `
upstreams:
  monolith: { url: http://127.0.0.1:4000 }
  search: { url: http://127.0.0.1:4100 }
unmatched: monolith
paths: { case: insensitive }
routes:
  - name: search
    match: { path: /api/search, methods: [GET] }
    move: { to: search, stage: live }
  - name: documents
    match: { path: /api/documents/* }
    move: { to: search }
`

const seen: string[] = []
/** Says in which order the filters of a pipeline met a request, and answers it at last. */
function noting(name: string, isLast = false): FilterKind {
  return filterKind({
    name,
    sections: {},
    configure: (_settings, { route }) => ({
      does: name,
      bind:
        ({ clock }) =>
        async (exchange, next) => {
          seen.push(`${name} ${route.name}`)
          if (!isLast) return next(exchange)
          return answerOf({ status: 204, reason: '', fields: noFields, body: undefined, by: 'gateway' }, clock.now)
        },
    }),
  })
}
const kinds = [noting('outer'), noting('inner', true)]

function compiled(services: Services = world, yaml = text): Snapshot {
  const { declaration } = read({ file: '/etc/banyan/routes.yaml', text: yaml }, kinds, {})
  if (!declaration) throw new Error('the file was refused')
  return compile(declaration, services, { revision: 7, loadedAt: 8 })
}

/** Everything that can be reached from there and could be changed. */
function findLoose(value: unknown, path: string, met = new Set<unknown>()): string[] {
  if (typeof value !== 'object' || value === null || met.has(value)) return []
  met.add(value)
  const inner = value instanceof Map ? [...value.entries()] : Object.entries(value)
  return [
    ...(Object.isFrozen(value) ? [] : [path]),
    ...inner.flatMap(([key, child]) => findLoose(child, `${path}.${String(key)}`, met)),
  ]
}

test('a Snapshot says which reading it is', () => {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  expect(compiled()).toMatchObject({ revision: 7, loadedAt: 8, hash, warnings: [] })
})

test('nothing in a Snapshot can be changed', () => {
  const snapshot = compiled()
  expect(findLoose(snapshot, 'snapshot')).toEqual([])
  const upstreams = snapshot.upstreams as Map<string, unknown>
  for (const change of [() => upstreams.set('x', 1), () => upstreams.delete('search'), () => upstreams.clear()]) {
    expect(change).toThrow('a Snapshot is never changed')
  }
  expect([...upstreams.keys()]).toEqual(['monolith', 'search'])
})

test('a request meets its Route, and what no Route names the unmatched one', () => {
  const snapshot = compiled()
  const nameFor = (method: string, target: string) => snapshot.match({ method, target, fields: noFields }).route.name
  expect(nameFor('GET', '/API/search?q=1')).toBe('search')
  expect(nameFor('POST', '/api/search')).toBe('unmatched')
  expect(nameFor('PUT', '/api/documents/7/summary')).toBe('documents')
  expect(nameFor('GET', '/')).toBe('unmatched')
})

test('the declared stage says who answers', () => {
  const [search, documents] = compiled().routes
  expect(search?.upstream.name).toBe('search')
  expect(documents?.upstream.name).toBe('monolith')
  expect(documents?.move).toMatchObject({ from: { name: 'monolith' }, to: { name: 'search' }, stage: 'legacy' })
})

test('a pipeline runs its filters in the order of the list, unmatched too', async () => {
  const { routes, unmatched } = compiled()
  for (const route of [...routes, unmatched]) {
    const exchange = { route, upstream: route.upstream, fields: fieldsOf([]) } as unknown as Exchange
    expect((await route.run(exchange)).status).toBe(204)
    expect(route.filters).toEqual(['outer', 'inner'])
  }
  expect(seen.splice(0)).toEqual([
    'outer search',
    'inner search',
    'outer documents',
    'inner documents',
    'outer unmatched',
    'inner unmatched',
  ])
})

test('a kind is configured once for each Route, and bound once for each Snapshot', () => {
  const counts = { configured: 0, bound: 0 }
  const counting = filterKind({
    name: 'counting',
    sections: {},
    configure: () => {
      counts.configured++
      return {
        does: 'counts',
        bind: () => {
          counts.bound++
          return (exchange, next) => next(exchange)
        },
      }
    },
  })
  const { declaration } = read({ file: 'routes.yaml', text }, [counting], {})
  if (!declaration) throw new Error('the file was refused')
  expect(counts).toEqual({ configured: 3, bound: 0 })
  compile(declaration, world, { revision: 1, loadedAt: 0 })
  compile(declaration, world, { revision: 2, loadedAt: 0 })
  expect(counts).toEqual({ configured: 3, bound: 6 })
})

test('a Route that a kind passes over has it not in its pipeline', () => {
  const picky = filterKind({
    name: 'picky',
    sections: {},
    configure: (_settings, { route }) =>
      route.name === 'search' ? { does: 'x', bind: () => (exchange, next) => next(exchange) } : undefined,
  })
  const { declaration } = read({ file: 'routes.yaml', text }, [picky, ...kinds], {})
  if (!declaration) throw new Error('the file was refused')
  const { routes, unmatched } = compile(declaration, world, { revision: 1, loadedAt: 0 })
  expect([...routes, unmatched].map(({ filters }) => filters[0])).toEqual(['picky', 'outer', 'outer'])
})

test('what is served is replaced whole, and Problems do not replace it', () => {
  const live = createLive()
  expect(() => live.current).toThrow('before the first Snapshot')
  const [first, second] = [compiled(), compiled(world, sound(2))]
  live.replace(first)
  const held = live.current
  live.refuse([{ severity: 'error', line: 1, column: 1, message: 'no' }])
  expect(live.current).toBe(first)
  expect(live.problems).toHaveLength(1)
  live.replace(second)
  expect(held).toBe(first)
  expect(live.current).toBe(second)
  expect(live.problems).toEqual([])
})
