// What the gateway says of keys that clients send, and what is ordered of them, at every age.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { makeKey } from '../../../gateway/identity/keyFormat.ts'
import type { KeySettings } from '../../../gateway/model.ts'
import { deafness } from '../../../gateway/state/keys/deafness.ts'
import type { KeyBook } from '../../../gateway/state/keys/keyBook.ts'
import { createKeys } from '../../../gateway/state/keys/keys.ts'
import { openStore, until } from '../store/stores.ts'
import { newStateDir } from './world.ts'

const dayMs = 86_400_000
const [one, other] = ['a pepper of thirty-two characters!', 'another pepper, as long as the first']
const settings: KeySettings = {
  ...{ env: 'live', maxAgeMs: 90 * dayMs, warnMs: 14 * dayMs, overlapMs: 7 * dayMs, staleAfterMs: 300_000 },
  peppers: { values: [one] },
}

let wallMs = Date.parse('2026-06-01T00:00:00Z')
beforeEach(() => {
  wallMs = Date.parse('2026-06-01T00:00:00Z')
})
const clock = { now: () => performance.now(), wall: () => wallMs }
const troubles: string[] = []

async function open(more: Partial<KeySettings> = {}, stateDir?: string, url?: string): Promise<KeyBook> {
  const keys = createKeys({ clock, onApplied: () => {}, onTrouble: (reason) => troubles.push(reason) })
  keys.follow({ ...settings, ...more })
  await keys.open(stateDir ?? (await newStateDir()), url === undefined ? undefined : await openStore(url))
  onTestFinished(() => keys.close())
  return keys
}

const asked = (route = 'search', address = '192.0.2.1') => ({ route, address, atMs: wallMs })

describe('a key that is sent', () => {
  test('says whose it is, and what it may', async () => {
    const keys = await open()
    const { key, record } = await keys.issue({ owner: 'acme', scopes: ['a', 'b'], rate: '100/min' }, 'cli:ann')
    expect(key).toMatch(/^byn_live_[0-9A-Za-z]{36}$/)
    expect(keys.check(key, asked())).toEqual({
      ok: true,
      identity: {
        ...{ kind: 'apiKey', id: `apiKey:${record.id}`, subject: 'acme', scopes: ['a', 'b'], keyId: record.id },
        rate: '100/min',
      },
    })
  })

  test('is malformed, unknown, or none of these routes', async () => {
    const keys = await open()
    const { key, record } = await keys.issue({ owner: 'acme', scopes: [], routes: ['orders'] }, 'cli:ann')
    expect(keys.check('byn_live_nonsense', asked())).toEqual({ ok: false, why: 'malformed' })
    expect(keys.check(`${key.slice(0, -1)}_`, asked())).toEqual({ ok: false, why: 'malformed' })
    // Its name, and another secret: nobody hears that there is such a name.
    let next = 7
    const forged = forge(record.id, () => next++)
    expect(keys.check(forged, asked('orders'))).toEqual({ ok: false, why: 'unknown' })
    expect(keys.recognise(forged)).toBeUndefined()
    expect(keys.recognise(key)?.id).toBe(record.id)
    expect(keys.check(key, asked('search'))).toEqual({ ok: false, why: 'wrongRoute', keyId: record.id })
    expect(keys.check(key, asked('orders')).ok).toBe(true)
    expect(Object.fromEntries(keys.verdicts())).toEqual({ malformed: 2, unknown: 1, wrongRoute: 1, ok: 1 })
  })

  test('ages: it is told of from warn on, refused from maxAge on', async () => {
    const keys = await open()
    const { key, record } = await keys.issue({ owner: 'acme', scopes: [] }, 'cli:ann')
    const standing = () => keys.sights()[0]?.standing
    wallMs += 76 * dayMs - 1
    expect([standing(), keys.check(key, asked()).ok]).toEqual(['live', true])
    wallMs += 1
    expect([standing(), keys.check(key, asked()).ok]).toEqual(['ageing', true])
    wallMs += 14 * dayMs
    expect([standing(), keys.check(key, asked())]).toEqual(['tooOld', { ok: false, why: 'tooOld', keyId: record.id }])
  })

  test('expires when its own time is over, before maxAge', async () => {
    const keys = await open()
    const { key } = await keys.issue({ owner: 'acme', scopes: [], expiresInMs: dayMs }, 'cli:ann')
    wallMs += dayMs - 1
    expect(keys.check(key, asked()).ok).toBe(true)
    wallMs += 1
    expect(keys.check(key, asked())).toMatchObject({ ok: false, why: 'expired' })
  })

  test('is refused from the moment that it is revoked, or denied by break-glass.yaml', async () => {
    const keys = await open()
    const [first, second] = [
      await keys.issue({ owner: 'a', scopes: [] }, 'x'),
      await keys.issue({ owner: 'b', scopes: [] }, 'x'),
    ]
    keys.deny(new Set([second.record.id]))
    expect(keys.check(second.key, asked())).toMatchObject({ why: 'revoked' })
    keys.deny(new Set())
    expect(keys.check(second.key, asked()).ok).toBe(true)
    const revoked = keys.revoke(first.record.id, { by: 'cli:ann', reason: 'leaked' })
    expect(keys.check(first.key, asked())).toMatchObject({ why: 'revoked', keyId: first.record.id })
    expect(await revoked).toBe(true)
    await expect(keys.revoke('byn_live_nobody00', { by: 'x', reason: 'y' })).rejects.toThrow(/no key is called/)
  })
})

describe('a rotation', () => {
  test('gives a successor, and for the overlap both work; the old one is told to go', async () => {
    const keys = await open()
    const wish = { owner: 'acme', scopes: ['a'], routes: ['search'], rate: '9/s', expiresInMs: 60 * dayMs }
    const before = await keys.issue(wish, 'cli:ann')
    wallMs += 10 * dayMs
    const after = await keys.rotate(before.record.id, 'cli:bob')
    const { owner, scopes, routes, rate, line, createdBy } = after.record
    expect({ owner, scopes, routes, rate, line, createdBy }).toEqual({
      ...{ owner: 'acme', scopes: ['a'], routes: ['search'], rate: '9/s' },
      ...{ line: before.record.id, createdBy: 'cli:bob' },
    })
    expect(after.record.expiresAt).toBe(wallMs + 60 * dayMs)
    const [old, fresh] = [keys.check(before.key, asked()), keys.check(after.key, asked())]
    expect(old).toMatchObject({ ok: true, deprecated: { sinceMs: wallMs, sunsetMs: wallMs + 7 * dayMs } })
    expect(fresh).not.toHaveProperty('deprecated')
    // To limits, shares and the stock they are one client.
    expect(old).toMatchObject({ identity: { id: `apiKey:${before.record.id}` } })
    expect(fresh).toMatchObject({ identity: { id: `apiKey:${before.record.id}`, keyId: after.record.id } })
    wallMs += 7 * dayMs
    expect([keys.check(before.key, asked()).ok, keys.check(after.key, asked()).ok]).toEqual([false, true])
  })

  test('gives no time beyond the end that the key had, and none to one that is too old', async () => {
    const keys = await open()
    const [nearly, old] = [
      await keys.issue({ owner: 'a', scopes: [] }, 'x'),
      await keys.issue({ owner: 'b', scopes: [] }, 'x'),
    ]
    wallMs += 88 * dayMs
    expect((await keys.rotate(nearly.record.id, 'x')).before.rotated?.sunsetAt).toBe(
      nearly.record.createdAt + 90 * dayMs,
    )
    wallMs += 3 * dayMs
    const { key } = await keys.rotate(old.record.id, 'x')
    expect([keys.check(old.key, asked()).ok, keys.check(key, asked()).ok]).toEqual([false, true])
  })

  test('is refused of what has a successor, is revoked, has expired, or is nobody', async () => {
    const keys = await open()
    const [first, second, third] = await Promise.all(
      ['a', 'b', 'c'].map((owner) => keys.issue({ owner, scopes: [], expiresInMs: dayMs }, 'x')),
    )
    const rotate = (id = '') => keys.rotate(id, 'x')
    await rotate(first?.record.id)
    await expect(rotate(first?.record.id)).rejects.toThrow(/has a successor already/)
    await keys.revoke(second?.record.id ?? '', { by: 'x', reason: 'y' })
    await expect(rotate(second?.record.id)).rejects.toThrow(/is revoked; issue a new key/)
    wallMs += dayMs
    await expect(rotate(third?.record.id)).rejects.toThrow(/is expired; issue a new key/)
    await expect(rotate('byn_live_nobody00')).rejects.toThrow(/no key is called/)
  })

  test('of two at once, one gives a successor, and the other leaves no key behind that works', async () => {
    const keys = await open()
    const { record } = await keys.issue({ owner: 'acme', scopes: [] }, 'x')
    const outcomes = await Promise.allSettled([keys.rotate(record.id, 'x'), keys.rotate(record.id, 'y')])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(
      keys
        .sights()
        .map(({ standing }) => standing)
        .sort(),
    ).toEqual(['live', 'revoked', 'rotated'])
  })
})

describe('peppers', () => {
  test('a key comes under a new one when it is used, and the old one can go then', async () => {
    const stateDir = await newStateDir()
    const first = await open({}, stateDir)
    const { key } = await first.issue({ owner: 'acme', scopes: [] }, 'x')
    const unused = await first.issue({ owner: 'sleepy', scopes: [] }, 'x')
    await first.close()
    const both = await open({ peppers: { values: [other, one] } }, stateDir)
    const areNew = () => both.sights().map(({ isUnderNewestPepper }) => isUnderNewestPepper)
    expect(areNew()).toEqual([false, false])
    expect(both.check(key, asked()).ok).toBe(true)
    await until(async () => areNew().filter(Boolean).length === 1)
    await both.close()
    const alone = await open({ peppers: { values: [other] } }, stateDir)
    expect(alone.check(key, asked()).ok).toBe(true)
    expect(alone.check(unused.key, asked())).toEqual({ ok: false, why: 'unknown' })
  })

  test('a key that was brought under a new one is still known where only the old one is', async () => {
    const stateDir = await newStateDir()
    const first = await open({}, stateDir)
    const { key } = await first.issue({ owner: 'acme', scopes: [] }, 'x')
    first.follow({ ...settings, peppers: { values: [other, one] } })
    first.check(key, asked())
    await until(async () => first.sights().every(({ isUnderNewestPepper }) => isUnderNewestPepper))
    await first.close()
    expect((await open({}, stateDir)).check(key, asked()).ok).toBe(true)
  })

  const { peppers: _, ...ownPepper } = settings

  test('by default there is one in stateDir, for nobody else to read, and it rotates by a line before it', async () => {
    const stateDir = await newStateDir()
    const keys = createKeys({ clock, onApplied: () => {}, onTrouble: (reason) => troubles.push(reason) })
    onTestFinished(() => keys.close())
    keys.follow(ownPepper)
    await keys.open(stateDir, undefined)
    const file = join(stateDir, 'keys', 'peppers')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { key } = await keys.issue({ owner: 'acme', scopes: [] }, 'x')
    await writeFile(file, `# newest first\n${other}\n${await readFile(file, 'utf8')}`)
    await until(async () => keys.sights().every(({ isUnderNewestPepper }) => !isUnderNewestPepper))
    expect(keys.check(key, asked()).ok).toBe(true)
    await until(async () => keys.sights().every(({ isUnderNewestPepper }) => isUnderNewestPepper))
  })

  test('one that is lost is not made anew while there are keys: that is told', async () => {
    const stateDir = await newStateDir()
    const first = await open({}, stateDir)
    const { key } = await first.issue({ owner: 'acme', scopes: [] }, 'x')
    await first.close()
    troubles.length = 0
    const keys = createKeys({ clock, onApplied: () => {}, onTrouble: (reason) => troubles.push(reason) })
    onTestFinished(() => keys.close())
    keys.follow(ownPepper)
    await keys.open(stateDir, undefined)
    expect(troubles).toEqual([expect.stringMatching(/peppers cannot be read .*no key can be checked/)])
    // Its holder is not told to throw it away.
    expect(keys.check(key, asked())).toEqual({ ok: false, why: 'stale' })
    await expect(keys.issue({ owner: 'acme', scopes: [] }, 'x')).rejects.toThrow(/no pepper/)
  })

  test('replicas that share keys must share their peppers too, and are told so', async () => {
    const keys = createKeys({ clock, onApplied: () => {}, onTrouble: () => {} })
    onTestFinished(() => keys.close())
    keys.follow(ownPepper)
    await keys.open(await newStateDir(), await openStore('memory:'))
    await expect(keys.issue({ owner: 'acme', scopes: [] }, 'x')).rejects.toThrow(/keys\.peppers in routes\.yaml/)
  })
})

test('who used a key is known by hour, route and address, also after a restart, and bounded', async () => {
  const stateDir = await newStateDir()
  const keys = await open({}, stateDir)
  const { key, record } = await keys.issue({ owner: 'acme', scopes: [], routes: ['search'] }, 'x')
  for (let i = 0; i < 3; i++) keys.check(key, asked('search'))
  keys.check(key, asked('orders', '2001:db8::1'))
  for (let i = 0; i < 100; i++) keys.check(key, asked('search', `198.51.100.${i}`))
  const rowsOf = async (book: KeyBook) => book.usesOf(record.id)
  const rows = await rowsOf(keys)
  const hour = wallMs
  expect(rows).toContainEqual({ hour, route: 'search', address: '192.0.2.1', count: 3, refused: 0, lastAt: wallMs })
  expect(rows).toContainEqual({ hour, route: 'orders', address: '2001:db8::1', count: 1, refused: 1, lastAt: wallMs })
  expect(rows).toContainEqual({ hour, route: 'search', address: 'others', count: 70, refused: 0, lastAt: wallMs })
  for (let i = 0; i < 400; i++) {
    wallMs += 3_600_000
    keys.check(key, asked())
  }
  expect((await rowsOf(keys)).length).toBe(256)
  await keys.close()
  const again = await open({}, stateDir)
  expect(await rowsOf(again)).toEqual(await rowsOf(keys))
  expect(again.sights()[0]?.lastUsedAt).toBe(wallMs)
})

test('who used a key at another replica is known too', async () => {
  const store = await openStore('memory:')
  const join = async () => {
    const keys = createKeys({ clock, onApplied: () => {}, onTrouble: (reason) => troubles.push(reason) })
    keys.follow(settings)
    await keys.open(await newStateDir(), store)
    return keys
  }
  const [here, there] = [await join(), await join()]
  onTestFinished(() => there.close())
  const { key, record } = await here.issue({ owner: 'acme', scopes: [] }, 'x')
  await until(async () => there.check(key, asked('orders', '192.0.2.9')).ok)
  here.check(key, asked('search', '192.0.2.1'))
  await here.close()
  const uses = await there.usesOf(record.id)
  expect(uses.map(({ route, address }) => `${route} ${address}`).sort()).toEqual([
    'orders 192.0.2.9',
    'search 192.0.2.1',
  ])
})

test('operators are told of a silence before keys are refused for it', () => {
  expect(deafness(9_999, settings)).toBeUndefined()
  expect(deafness(60_000, settings)).toMatch(/for 60 s: from 300 s on .* 503/)
  expect(deafness(301_000, settings)).toMatch(/more than keys.staleAfter .* answered with 503 until/)
  const { staleAfterMs: _, ...never } = settings
  expect(deafness(301_000, never)).toMatch(/goes on here/)
})

test('what cannot be read lets nobody in, and keeps nobody else waiting', async () => {
  const stateDir = await newStateDir()
  await writeFile(join(stateDir, 'keys'), 'a file where the folder should be')
  const keys = await open({}, stateDir)
  expect(
    keys.check(
      makeKey('live', (count) => new Uint8Array(count)),
      asked(),
    ),
  ).toEqual({ ok: false, why: 'stale' })
  expect(keys.check('byn_live_x', asked())).toEqual({ ok: false, why: 'malformed' })
  expect(keys.troubles()).toEqual([expect.stringMatching(/keys cannot be read/)])
  await expect(keys.issue({ owner: 'acme', scopes: [] }, 'x')).rejects.toThrow(/cannot be had/)
})

/** A well-formed key of that name. */
function forge(id: string, next: () => number): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const name = [...id.slice(-8)].map((character) => alphabet.indexOf(character))
  let given = 0
  return makeKey('live', (count) => Uint8Array.from({ length: count }, () => name[given++] ?? next() % 62))
}
