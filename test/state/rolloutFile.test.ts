// What a restart knows of the rollouts: real files, real restarts, and a process that is killed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import type { RolloutDeclaration } from '../../gateway/model.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { contentOf } from './appearing.ts'
import { newStateDir, start } from './rolloutWorld.ts'

const ann = { by: 'ann', reason: 'too many failures', evidence: { failed: 12 } }
const search = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1_000 })
const orders = rolloutOf('orders', { stage: 'live' })
const canary = (percent: number) => standingAt('canary', { shareBasisPoints: percent * 100 })

const fileOf = (stateDir: string) => join(stateDir, 'rollouts.json')

/** A routes.yaml with one move. */
function routesYaml(route: string, more = ''): string {
  return `
paths: { case: exact }
upstreams: { old: { url: "http://127.0.0.1:4000" }, new: { url: "http://127.0.0.1:4100" } }
unmatched: old
routes:
  - name: ${route}
    match: { path: /search, methods: [GET] }
    move: { to: new, stage: canary, share: 10%, stickyBy: address }
${more}`
}

describe('a restart', () => {
  test('finds every override, with who, why and when, and the key under which clients fall into buckets', async () => {
    const stateDir = await newStateDir()
    const before = await start(stateDir)
    before.declare(search, orders, rolloutOf('cart', { stage: 'canary', shareBasisPoints: 1_000 }))
    await before.book.rollBack('search', ann)
    await before.book.pause('orders', ann)
    await before.book.advance('cart', canary(25), ann)

    const after = await start(stateDir)
    after.declare(search, orders, rolloutOf('cart', { stage: 'canary', shareBasisPoints: 1_000 }))
    expect(['search', 'orders', 'cart'].map(after.stands)).toEqual([
      'shadow, rollback',
      'live, pause',
      'canary 25%, advance',
    ])
    expect(after.book.states().map(({ overrides }) => overrides)).toEqual(
      before.book.states().map(({ overrides }) => overrides),
    )
    expect(after.book.splitKey()).toBe(before.book.splitKey())
    expect(after.told).toEqual([])
  })

  test('finds nothing of what has been ended', async () => {
    const stateDir = await newStateDir()
    const before = await start(stateDir)
    before.declare(search)
    await before.book.rollBack('search', ann)
    await before.book.acknowledge('search', ann)
    const after = await start(stateDir)
    after.declare(search)
    expect(after.stands('search')).toBe('canary 10%, file')
  })

  test('ends a rollback when the file was edited meanwhile and asks for no more than where it went', async () => {
    const stateDir = await newStateDir()
    const before = await start(stateDir)
    before.declare(search)
    await before.book.rollBack('search', ann)
    const after = await start(stateDir)
    after.declare(rolloutOf('search', { stage: 'shadow' }))
    expect(after.stands('search')).toBe('shadow, file')
    await after.book.written()
    expect(await readFile(fileOf(stateDir), 'utf8')).not.toContain('rollback')
  })

  test('with a split key that cannot be read keeps canaries at the old side, and leaves the key as it is', async () => {
    const stateDir = await newStateDir()
    await mkdir(join(stateDir, 'splitKey'), { recursive: true })
    const { declare, stands } = await start(stateDir)
    declare(search)
    expect(stands('search')).toBe('legacy, stateUnknown')
    expect((await stat(join(stateDir, 'splitKey'))).isDirectory()).toBe(true)
  })

  test('of another gateway has another split key; the files are for the owner alone', async () => {
    const [one, another] = [await newStateDir(), await newStateDir()]
    const first = await start(one)
    expect((await start(another)).book.splitKey()).not.toBe(first.book.splitKey())
    first.declare(search)
    await first.book.written()
    for (const name of ['splitKey', 'rollouts.json']) expect((await stat(join(one, name))).mode & 0o777).toBe(0o600)
  })
})

describe('a route that was rolled back', () => {
  test('may have a new name if it says what it was, and nothing else of the file ends its rollback', async () => {
    const { book, load, stands } = await start(await newStateDir())
    expect((await load(routesYaml('search'))).ok).toBe(true)
    await book.rollBack('search', ann)
    const renamed = routesYaml('finder', '    was: search\naccessLog: off\n')
    expect(await load(renamed)).toMatchObject({ ok: true })
    expect(stands('finder')).toBe('legacy, rollback')
    expect(book.state('finder').rollout).toMatchObject({ key: 'search', routes: ['finder'] })
  })

  test.each([
    ['renamed', routesYaml('finder')],
    ['removed', 'upstreams: { old: { url: "http://127.0.0.1:4000" } }\nunmatched: old\n'],
  ])('cannot be %s without a word, also after a restart', async (_, edited) => {
    const stateDir = await newStateDir()
    const before = await start(stateDir)
    await before.load(routesYaml('search'))
    await before.book.rollBack('search', ann)
    const problems = [
      {
        severity: 'error',
        line: 1,
        column: 1,
        message:
          '"search" was rolled back (too many failures) and is not in the file any more; if it has a new name give that route "was: search", or end the rollback first: banyan ack search',
      },
    ]
    expect(await before.load(edited)).toEqual({ ok: false, problems })
    expect(before.stands('search')).toBe('legacy, rollback')
    const after = await start(stateDir)
    expect(await after.load(edited)).toEqual({ ok: false, problems })
    expect(await after.load(routesYaml('search'))).toMatchObject({ ok: true })
    expect(after.stands('search')).toBe('legacy, rollback')
    await after.book.acknowledge('search', ann)
    expect(await after.load(edited)).toMatchObject({ ok: true })
  })
})

describe('a file that was edited while nobody read it', () => {
  const canary = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1_000 })

  async function restarted(before: RolloutDeclaration, after: RolloutDeclaration, isPaused = false) {
    const stateDir = await newStateDir()
    const first = await start(stateDir)
    first.declare(before)
    if (isPaused) await first.book.pause('search', ann)
    await first.book.written()
    const second = await start(stateDir)
    second.declare(after)
    return { ...second, stateDir }
  }

  test('has moved what it moves, and says so once', async () => {
    const { changes, stateDir, book } = await restarted(canary, rolloutOf('search', { stage: 'live' }))
    expect(changes).toMatchObject([
      {
        kind: 'stage',
        by: 'file',
        reason: 'routes.yaml was edited while the gateway was down',
        from: { stage: 'canary', shareBasisPoints: 1_000, why: 'file' },
        to: { stage: 'live', why: 'file' },
      },
    ])
    await book.written()
    const third = await start(stateDir)
    third.declare(rolloutOf('search', { stage: 'live' }))
    expect(third.changes).toEqual([])
  })

  test('is no change where nothing moves: the same file, a new route, or a pause that holds it', async () => {
    expect((await restarted(canary, canary)).changes).toEqual([])
    expect((await restarted(canary, rolloutOf('orders', { stage: 'live' }))).changes).toEqual([])
    expect((await restarted(canary, rolloutOf('search', { stage: 'live' }), true)).changes).toEqual([])
  })

  test('is no change when the state is of a version that did not keep it', async () => {
    const stateDir = await newStateDir()
    await mkdir(stateDir, { recursive: true })
    await writeFile(fileOf(stateDir), '{"version":1,"overrides":{},"declared":{"search":"canary"}}')
    const { declare, changes, told } = await start(stateDir)
    declare(canary)
    expect([changes, told]).toEqual([[], []])
  })
})

describe('a state that cannot be read', () => {
  test.each([
    ['nothing', ''],
    ['half of it', '{"version":1,"overrides":{"search":{"rollb'],
    ['no mapping', 'null'],
    ['another version', '{"version":2,"overrides":{}}'],
    ['no overrides', '{"version":1}'],
    ['overrides that are a list', '{"version":1,"overrides":[{}]}'],
    ['an override that is nothing', '{"version":1,"overrides":{"search":null}}'],
    ['an override of a kind that is to come', '{"version":1,"overrides":{"search":{"freeze":{"at":1}}}}'],
    ['a rollback without where it goes', '{"version":1,"overrides":{"search":{"rollback":{"at":1}}}}'],
    [
      'a stage that there is not',
      '{"version":1,"overrides":{"search":{"pause":{"held":{"stage":"warm","shareBasisPoints":1}}}}}',
    ],
    [
      'a share that is no number',
      '{"version":1,"overrides":{"search":{"pause":{"held":{"stage":"canary","shareBasisPoints":"1"}}}}}',
    ],
  ])('because there is %s, is not taken for none and not written over', async (_, text) => {
    const stateDir = await newStateDir()
    await mkdir(stateDir, { recursive: true })
    await writeFile(fileOf(stateDir), text)
    const { book, declare, stands, told } = await start(stateDir)
    expect(told).toHaveLength(1)
    declare(search, orders)
    expect([stands('search'), stands('orders')]).toEqual(['legacy, stateUnknown', 'live, file'])
    // A live move can still be rolled back, and whoever orders it hears that a restart will not know of it.
    await expect(book.rollBack('orders', ann)).rejects.toThrow(
      `${fileOf(stateDir)} cannot be read; mend or remove it and start again: until then nothing is written there`,
    )
    expect(stands('orders')).toBe('shadow, rollback')
    expect(await readFile(fileOf(stateDir), 'utf8')).toBe(text)
  })
})

describe('a stateDir that cannot be written', () => {
  test('takes nothing from a rollback but its memory, and whoever orders it is told, each time', async () => {
    const stateDir = await newStateDir()
    await writeFile(stateDir, 'a file in its place')
    const { book, declare, stands, told } = await start(stateDir)
    declare(search)
    await book.written()
    const before = told.length
    const written = book.rollBack('search', ann)
    expect(stands('search')).toBe('shadow, rollback')
    await expect(written).rejects.toThrow(/ENOTDIR|EEXIST/)
    expect(told.length).toBe(before + 1)
    await expect(book.rollBack('search', ann)).rejects.toThrow(/ENOTDIR|EEXIST/)
    expect(stands('search')).toBe('shadow, rollback')
  })

  test('and then can, is given all that was decided meanwhile with the next order', async () => {
    const stateDir = await newStateDir()
    await writeFile(stateDir, 'a file in its place')
    const { book, declare } = await start(stateDir)
    declare(search, orders)
    await expect(book.rollBack('search', ann)).rejects.toThrow()
    await rm(stateDir)
    await book.pause('orders', ann)
    const { overrides } = JSON.parse(await readFile(fileOf(stateDir), 'utf8'))
    expect(overrides).toMatchObject({ search: { rollback: ann }, orders: { pause: ann } })
  })
})

test('what the disk has refused is on it soon after it takes it, without another order', async () => {
  const stateDir = await newStateDir()
  const { book, declare, told } = await start(stateDir)
  declare(search)
  await book.written()
  await rm(fileOf(stateDir))
  await mkdir(join(fileOf(stateDir), 'in its place'), { recursive: true })
  await expect(book.rollBack('search', ann)).rejects.toThrow('EISDIR')
  const before = told.length
  await rm(fileOf(stateDir), { recursive: true })
  expect(JSON.parse(await contentOf(fileOf(stateDir))).overrides).toMatchObject({ search: { rollback: ann } })
  expect(told.length).toBe(before)
})

test('what was never decided is not written at the end', async () => {
  const stateDir = await newStateDir()
  const { book } = await start(stateDir)
  await book.written()
  await expect(readFile(fileOf(stateDir))).rejects.toThrow('ENOENT')
})

test('each order is on the disk when its promise says so, however many come at once', async () => {
  const stateDir = await newStateDir()
  const { book, declare } = await start(stateDir)
  declare(search, orders)
  const first = book.rollBack('search', ann)
  const second = book.rollBack('orders', ann)
  await first
  expect(JSON.parse(await readFile(fileOf(stateDir), 'utf8')).overrides).toMatchObject({ search: { rollback: ann } })
  await second
  expect(JSON.parse(await readFile(fileOf(stateDir), 'utf8')).overrides).toMatchObject({ orders: { rollback: ann } })
})

test('a process that is killed in the moment that a rollback is written down has rolled back', async () => {
  const stateDir = await newStateDir()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'decider.ts'), stateDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') child.stdin.write('go\n')
    else {
      expect(line).toBe('rolled back')
      break
    }
  }
  child.kill('SIGKILL')
  await once(child, 'close')
  const { declare, stands, told } = await start(stateDir)
  declare(search)
  expect([stands('search'), told]).toEqual(['shadow, rollback', []])
})
