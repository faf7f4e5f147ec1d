// Keys of several gateways on one real Redis: who hears of what, and what they do without it.
import { expect, onTestFinished, test } from 'vitest'
import { readRecord } from '../../../gateway/identity/keyRecord.ts'
import { openKeyFile } from '../../../gateway/state/keys/keyFile.ts'
import type { KeyStore } from '../../../gateway/state/keys/keyStore.ts'
import { shareKeys } from '../../../gateway/state/keys/sharedKeys.ts'
import type { Store } from '../../../gateway/state/store.ts'
import { adminOf, becomes, clock, openStore, redisForTest, until } from '../store/stores.ts'
import { type Made, newKey, newStateDir, revocationOf, share } from './world.ts'

const isRevokedAt = (keys: KeyStore, { record }: Made) => keys.revocations().has(record.id)
const knows = (keys: KeyStore, { record }: Made) => keys.records().has(record.id)

interface Gateway {
  readonly keys: Awaited<ReturnType<typeof share>>
  readonly store: Store
  readonly stateDir: string
}

async function join(url: string, stateDir?: string): Promise<Gateway> {
  const folder = stateDir ?? (await newStateDir())
  const store = await openStore(url)
  return { keys: await share(store, folder), store, stateDir: folder }
}

test('a key that one issues and another revokes is known and revoked at all', async () => {
  const { url } = await redisForTest()
  const [one, other, third] = [await join(url), await join(url), await join(url)]
  const made = newKey()
  await one.keys.put(made.record)
  await until(async () => knows(other.keys, made) && knows(third.keys, made))
  expect(await other.keys.revoke(revocationOf(made))).toBe(true)
  await until(async () => isRevokedAt(one.keys, made) && isRevokedAt(third.keys, made))
  const published = other.keys.revisions().published
  await until(async () => third.keys.revisions().applied >= published)
})

test('without pushes a revocation is found all the same', async () => {
  const redis = await redisForTest()
  const [one, other] = [await join(redis.url), await join(redis.url)]
  const made = newKey()
  await one.keys.put(made.record)
  await until(async () => knows(other.keys, made))
  // Nobody may push any more; everything else goes on.
  await adminOf(redis).call('ACL', 'SETUSER', 'default', '-publish')
  await one.keys.revoke(revocationOf(made))
  await until(async () => isRevokedAt(other.keys, made))
})

test('what is revoked while the store is away is published once it is back', async () => {
  const redis = await redisForTest()
  const [one, other] = [await join(redis.url), await join(redis.url)]
  const made = newKey()
  await one.keys.put(made.record)
  await until(async () => knows(other.keys, made))
  await redis.kill()
  await becomes(one.store, 'down')
  expect(await one.keys.revoke(revocationOf(made))).toBe(false)
  expect([isRevokedAt(one.keys, made), isRevokedAt(other.keys, made)]).toEqual([true, false])
  await expect(one.keys.put(newKey().record)).rejects.toThrow(/the store is not to be had/)
  // It comes back empty: the mirrors are all there is.
  await redis.restart()
  await until(async () => {
    await one.keys.round()
    return isRevokedAt(other.keys, made)
  })
})

test('a store that was emptied takes nobody a key away, and has all of them again', async () => {
  const redis = await redisForTest()
  const [one, other] = [await join(redis.url), await join(redis.url)]
  const [live, revoked] = [newKey(), newKey()]
  for (const made of [live, revoked]) await one.keys.put(made.record)
  await one.keys.revoke(revocationOf(revoked))
  await until(async () => knows(other.keys, live) && isRevokedAt(other.keys, revoked))
  await adminOf(redis).flushall()
  const late = await join(redis.url)
  await until(async () => late.keys.records().size === 2 && isRevokedAt(late.keys, revoked))
  for (const { keys } of [one, other, late]) {
    expect([keys.records().size, keys.revocations().size, keys.trouble()]).toEqual([2, 1, undefined])
  }
  expect(await late.keys.put(newKey().record)).toBe('done')
})

test('a store that came back in an older state gets what it has forgotten', async () => {
  const redis = await redisForTest()
  const one = await join(redis.url)
  const [first, second] = [newKey(), newKey()]
  for (const made of [first, second]) await one.keys.put(made.record)
  await one.keys.put({ ...first.record, version: 2, owner: 'newer' })
  const admin = adminOf(redis)
  await admin.hdel('banyan:gateway:documents:keys', `:${second.record.id}`)
  const older = `1000 ${JSON.stringify(first.record)}`
  await admin.hset('banyan:gateway:documents:keys', `:${first.record.id}`, older, '', '7')
  await until(async () => {
    const held = (await one.store.all('keys')).byKey
    return held.has(second.record.id) && readRecord(held.get(first.record.id)?.value)?.owner === 'newer'
  })
  expect(one.keys.records().get(first.record.id)?.owner).toBe('newer')
})

test('keys of another set are not taken over before somebody says so', async () => {
  const [redis, other] = [await redisForTest(), await redisForTest()]
  const [here, there] = [await join(redis.url), await join(other.url)]
  const [own, theirs] = [newKey(), newKey()]
  await here.keys.put(own.record)
  await there.keys.put(theirs.record)
  here.keys.close()
  const moved = await join(other.url, here.stateDir)
  expect([knows(moved.keys, own), knows(moved.keys, theirs)]).toEqual([true, false])
  expect(moved.keys.trouble()).toMatch(/another set of keys.*banyan keys adopt/)
  await expect(moved.keys.put(newKey().record)).rejects.toThrow(/another set of keys/)
  // What is revoked is revoked, whoever has issued it.
  await there.keys.revoke(revocationOf(theirs))
  await until(async () => isRevokedAt(moved.keys, theirs))
  expect(await moved.keys.adopt()).toEqual([own.record.id])
  expect([knows(moved.keys, own), knows(moved.keys, theirs), moved.keys.trouble()]).toEqual([false, true, undefined])
  expect(knows(there.keys, own)).toBe(false)
  moved.keys.close()
  const again = await join(other.url, here.stateDir)
  expect([knows(again.keys, own), knows(again.keys, theirs)]).toEqual([false, true])
})

test('a restart without the store has all keys, and is no younger than its mirror', async () => {
  const redis = await redisForTest()
  const one = await join(redis.url)
  const [live, revoked] = [newKey(), newKey()]
  for (const made of [live, revoked]) await one.keys.put(made.record)
  await one.keys.revoke(revocationOf(revoked))
  one.keys.close()
  await redis.kill()
  const laterMs = 3_600_000
  const later = { now: clock.now, wall: () => clock.wall() + laterMs }
  const mirror = openKeyFile(one.stateDir)
  const store = await openStore(redis.url)
  const again = await shareKeys({ mirror, store, clock: later, onApplied: () => {}, tellFailure: () => {} })
  onTestFinished(() => again.close())
  expect([again.records().size, again.revocations().size]).toEqual([2, 1])
  expect(again.silentMs()).toBeGreaterThanOrEqual(laterMs)
  await redis.restart()
  await becomes(store, 'up')
  await until(async () => {
    await again.round()
    return again.silentMs() < laterMs
  })
})

test('what stands in the store and is no key is passed over', async () => {
  const redis = await redisForTest()
  const one = await join(redis.url)
  const made = newKey()
  await one.keys.put(made.record)
  for (const [i, junk] of [
    null,
    'text',
    7,
    {},
    { id: 3 },
    { ...made.record, hashes: [1] },
    { ...made.record, routes: 'all' },
  ].entries())
    await one.store.put('keys', `junk ${i}`, junk)
  await one.store.put('keyRevocations', 'junk', { id: made.record.id })
  const other = await join(redis.url)
  expect([...other.keys.records().keys()]).toEqual([made.record.id])
  expect(other.keys.revocations().size).toBe(0)
})
