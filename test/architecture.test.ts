// The plan of the house, held: who may import whom, how large a file is, what things are called.
import { describe, expect, test } from 'vitest'
import {
  findCycles,
  findForbiddenImports,
  findLongFiles,
  findSleeps,
  findStrayPackages,
  findVagueNames,
  findWithoutOpening,
  type Place,
} from './architecture/rules.ts'
import { readSources, type Source } from './architecture/sources.ts'

const model = 'gateway/model.ts'
const words = 'gateway/model/'
const ports = 'gateway/model/ports.ts'
const errors = 'gateway/errors.ts'
const filter = 'gateway/filter.ts'
const pipeline = 'gateway/pipeline.ts'
const schema = 'gateway/config/schema.ts'
const live = 'gateway/config/live.ts'
const message = 'gateway/message/'
const rollout = 'gateway/rollout/'
const comparing = 'gateway/comparing/'
const caching = 'gateway/caching/'
const files = 'gateway/files/'
const identity = 'gateway/identity/'
const limiting = 'gateway/limiting/'
const balancing = 'gateway/balancing/'

/** Whom a file or folder may import beside what it is itself. */
const places: readonly Place[] = [
  { at: model, mayImport: [words] },
  { at: words, mayImport: [] },
  { at: ports, mayImport: [model] },
  { at: errors, mayImport: [model] },
  { at: schema, mayImport: [model, errors] },
  { at: pipeline, mayImport: [model, errors] },
  { at: filter, mayImport: [model, ports, errors] },
  { at: message, mayImport: [model, errors] },
  { at: rollout, mayImport: [model, ports, errors, message] },
  { at: caching, mayImport: [model, errors, message] },
  { at: files, mayImport: [model] },
  { at: identity, mayImport: [model, errors, message] },
  { at: limiting, mayImport: [model, errors, message] },
  { at: balancing, mayImport: [model, errors, message] },
  { at: comparing, mayImport: [model, errors] },
  {
    at: 'gateway/filters/',
    mayImport: [
      ...[model, ports, errors, filter, schema, message, rollout, comparing, caching, identity, limiting, balancing],
      'type gateway/state/',
    ],
    isApart: true,
  },
  {
    at: 'gateway/state/',
    mayImport: [model, ports, errors, message, rollout, comparing, caching, files, identity, limiting, balancing],
  },
  { at: 'gateway/routing/', mayImport: [model, errors] },
  { at: 'gateway/forward/', mayImport: [model, ports, errors, message] },
  // Only the composition root knows which filters there are; everybody else is given the list.
  {
    at: 'gateway/filters.ts',
    mayImport: ['gateway/filters/', filter],
    onlyFor: ['gateway/main.ts', 'gateway/operating.ts', 'gateway/cli.ts', 'gateway/config/writeSchema.ts'],
  },
  {
    at: 'gateway/config/',
    mayImport: [
      ...[model, ports, errors, filter, pipeline, schema, live, message, rollout, files, identity, 'gateway/routing/'],
      'gateway/state/store/url.ts',
    ],
  },
  { at: live, mayImport: [model] },
  // Run by hand, to write what is generated from the declarations.
  { at: 'gateway/config/writeSchema.ts', mayImport: ['gateway/config/', 'gateway/filters.ts'], onlyFor: [] },
  { at: 'gateway/door/', mayImport: [model, errors, message, pipeline, live] },
  {
    at: 'gateway/ops/',
    mayImport: [model, ports, errors, message, rollout, identity, 'gateway/state/', 'gateway/config/'],
  },
  {
    at: 'gateway/cli/',
    mayImport: [
      ...[model, errors, filter, message, rollout, identity, schema, 'gateway/state/', 'gateway/config/'],
      ...['gateway/routing/', 'type gateway/ops/'],
    ],
  },
  { at: 'gateway/version.ts', mayImport: [] },
  { at: 'gateway/listeners.ts', mayImport: [model, 'type gateway/door/'], onlyFor: ['gateway/main.ts'] },
  {
    at: 'gateway/moving.ts',
    mayImport: ['gateway/'],
    onlyFor: ['gateway/parts.ts', 'gateway/watched.ts', 'gateway/reaching.ts'],
  },
  { at: 'gateway/reaching.ts', mayImport: ['gateway/'], onlyFor: ['gateway/parts.ts'] },
  { at: 'gateway/operating.ts', mayImport: ['gateway/'], onlyFor: ['gateway/main.ts'] },
  { at: 'gateway/watched.ts', mayImport: ['gateway/'], onlyFor: ['gateway/parts.ts'] },
  { at: 'gateway/issuing.ts', mayImport: ['gateway/'], onlyFor: ['gateway/identifying.ts'] },
  { at: 'gateway/vouching.ts', mayImport: ['gateway/'], onlyFor: ['gateway/parts.ts'] },
  { at: 'gateway/identifying.ts', mayImport: ['gateway/'], onlyFor: ['gateway/parts.ts'] },
  { at: 'gateway/stocking.ts', mayImport: ['gateway/'], onlyFor: ['gateway/parts.ts'] },
  {
    at: 'gateway/parts.ts',
    mayImport: ['gateway/'],
    onlyFor: ['gateway/main.ts', 'gateway/readings.ts', 'gateway/operating.ts'],
  },
  { at: 'gateway/drain.ts', mayImport: ['type gateway/door/'], onlyFor: ['gateway/main.ts'] },
  {
    at: 'gateway/readings.ts',
    mayImport: [model, 'gateway/config/', 'gateway/parts.ts'],
    onlyFor: ['gateway/main.ts', 'gateway/operating.ts'],
  },
  { at: 'gateway/main.ts', mayImport: ['gateway/'], onlyFor: ['gateway/run.ts'] },
  { at: 'gateway/run.ts', mayImport: ['gateway/main.ts'], onlyFor: ['gateway/cli.ts'] },
  { at: 'gateway/cli.ts', mayImport: ['gateway/'], onlyFor: [] },
]

/** Where a package may be imported: one file or one folder knows its ways. */
const homesOfPackages = {
  '@fastify/helmet': ['gateway/ops/'],
  '@fastify/http-proxy': ['gateway/ops/'],
  '@fastify/rate-limit': ['gateway/ops/'],
  ajv: ['gateway/config/'],
  fastify: ['gateway/door/general.ts', 'gateway/ops/', 'gateway/listeners.ts'],
  ioredis: ['gateway/state/store/redis/'],
  jose: ['gateway/state/tokens/'],
  'lru-cache': ['gateway/state/cacheStock.ts', 'gateway/state/tokens/'],
  opossum: ['gateway/state/breaking/opossum.ts'],
  pino: ['gateway/ops/log.ts'],
  'prom-client': ['gateway/ops/metrics.ts', 'gateway/ops/readOff.ts'],
  typebox: ['gateway/filters/', 'gateway/config/', filter],
  yaml: ['gateway/config/'],
}

/** Longer than 200 lines, and why no shorter. */
const longer = {
  [model]: { lines: 300, why: 'every word of the house is defined in one place, and most of it is said in comments' },
}

const sources = readSources()
const gateway = sources.filter(({ path }) => path.startsWith('gateway/'))
const source = (path: string, text: string): Source => ({ path, text })

describe('the house', () => {
  test('is read whole', () => {
    expect(gateway.length).toBeGreaterThan(50)
    expect(sources.map(({ path }) => path)).toContain('test/architecture.test.ts')
  })

  test('imports by the rule', () => expect(findForbiddenImports(gateway, places)).toEqual([]))
  test('imports a package in one place', () => expect(findStrayPackages(gateway, homesOfPackages)).toEqual([]))
  test('has no cycles, not even of types', () => expect(findCycles(sources)).toEqual([]))
  test('has short files', () => expect(findLongFiles(sources, longer)).toEqual([]))
  test('has no vague names', () => expect(findVagueNames(sources)).toEqual([]))
  test('says at the top of each file what it is for', () => expect(findWithoutOpening(gateway)).toEqual([]))
  test('does not sleep in tests', () =>
    expect(findSleeps(sources.filter(({ path }) => path.startsWith('test/')))).toEqual([]))

  test('stands apart: the gateway runs without tests, mocks and services, and they without it', () => {
    const others = sources.filter(({ path }) => /^(services|legacy-mock)\//.test(path))
    const kit: Place[] = [
      { at: 'services/kit/', mayImport: [] },
      { at: 'services/', mayImport: ['services/kit/'] },
      { at: 'legacy-mock/', mayImport: ['services/kit/'] },
    ]
    expect(findForbiddenImports(others, kit)).toEqual([])
    expect(findStrayPackages(others, { jose: ['services/kit/'] })).toEqual([])
  })

  test('excuses no file that needs no excuse', () => {
    const lengths = new Map(sources.map(({ path, text }) => [path, text.trimEnd().split('\n').length]))
    expect(Object.keys(longer).filter((path) => (lengths.get(path) ?? 0) <= 200)).toEqual([])
  })
})

describe('a violation is named with file, line and rule', () => {
  test('an import across the rule, of whatever form', () => {
    const found = findForbiddenImports(
      [
        source('gateway/filters/limit.ts', "// x\nimport { attempt } from './attempt.ts'\nimport '../ops/log.ts'\n"),
        source('gateway/forward/x.ts', "import type {\n  A,\n} from '../door/door.ts'\nexport * from '../main.ts'\n"),
        source('gateway/cli/run.ts', "const { run } = await import('../run.ts')\n"),
        source('gateway/config/read.ts', "import { filters } from '../filters.ts'\n"),
        source('gateway/door/x.ts', "import { read } from '../config/read.ts'\nimport x from '../../test/x.ts'\n"),
        source('gateway/new.ts', ''),
      ],
      places,
    )
    expect(found).toEqual([
      'gateway/filters/limit.ts:2 gateway/filters/ may not import gateway/filters/attempt.ts',
      'gateway/filters/limit.ts:3 gateway/filters/ may not import gateway/ops/log.ts',
      'gateway/forward/x.ts:1 gateway/forward/ may not import gateway/door/door.ts',
      'gateway/forward/x.ts:4 gateway/forward/ may not import gateway/main.ts',
      'gateway/cli/run.ts:1 gateway/cli/ may not import gateway/run.ts',
      'gateway/config/read.ts:1 gateway/config/ may not import gateway/filters.ts',
      'gateway/door/x.ts:1 gateway/door/ may not import gateway/config/read.ts',
      'gateway/door/x.ts:2 gateway/door/ may not import test/x.ts',
      'gateway/new.ts:1 has no place in the import rule',
    ])
  })

  test('a value where only types may pass', () => {
    const text = "import type { Mirror } from '../state/mirror.ts'\nimport { make } from '../state/mirror.ts'\n"
    expect(findForbiddenImports([source('gateway/filters/cache.ts', text)], places)).toEqual([
      'gateway/filters/cache.ts:2 gateway/filters/ may not import gateway/state/mirror.ts',
    ])
  })

  test('a package outside its place, and one without', () => {
    const text = "import { Ajv } from 'ajv'\nimport x from '@fastify/helmet/x'\nimport y from 'left-pad'\n"
    expect(findStrayPackages([source('gateway/door/fast.ts', text)], homesOfPackages)).toEqual([
      'gateway/door/fast.ts:1 ajv is imported by gateway/config/ only',
      'gateway/door/fast.ts:2 @fastify/helmet is imported by gateway/ops/ only',
      'gateway/door/fast.ts:3 left-pad has no place',
    ])
  })

  test('a cycle', () => {
    const ring = [
      source('a/one.ts', "import './two.ts'\n"),
      source('a/two.ts', "\nimport type { T } from './three.ts'\n"),
      source('a/three.ts', "export { x } from './two.ts'\n"),
    ]
    expect(findCycles(ring)).toEqual(['a/three.ts:1 closes a cycle: a/two.ts → a/three.ts → a/two.ts'])
  })

  test('a long file', () => {
    const lines = (count: number) => 'x\n'.repeat(count)
    expect(
      findLongFiles([
        source('gateway/a.ts', lines(200)),
        source('gateway/b.ts', lines(201)),
        source('test/c.ts', lines(401)),
      ]),
    ).toEqual(['gateway/b.ts:201 is longer than 200 lines', 'test/c.ts:401 is longer than 400 lines'])
  })

  test('a vague name, but no word that only contains one', () => {
    const text = 'export const metadata = 1\nexport class RouteHandler {}\nexport { a as dataOf, database, utility }\n'
    const says = 'says nothing: name what it does'
    expect(findVagueNames([source('services/utils/date-helper.ts', text)])).toEqual([
      `services/utils/date-helper.ts:1 "utils" ${says}`,
      `services/utils/date-helper.ts:1 "date-helper.ts" ${says}`,
      `services/utils/date-helper.ts:2 "RouteHandler" ${says}`,
      `services/utils/date-helper.ts:3 "dataOf" ${says}`,
    ])
  })

  test('a file without an opening, and a test that sleeps', () => {
    expect(findWithoutOpening([source('gateway/a.ts', "import 'node:fs'\n")])).toHaveLength(1)
    const asleep = '\nawait new Promise((done) => set' + 'Timeout(done, 100))\n'
    expect(findSleeps([source('test/a.test.ts', asleep)])).toEqual([
      'test/a.test.ts:2 a test waits for an event, not for time',
    ])
  })
})
