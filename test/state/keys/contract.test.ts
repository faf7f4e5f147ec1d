// What every store of keys promises: the file of one gateway, and those that share a store.
import { describe, expect, onTestFinished, test } from 'vitest'
import { openKeyFile } from '../../../gateway/state/keys/keyFile.ts'
import type { KeyStore } from '../../../gateway/state/keys/keyStore.ts'
import { openStore, redisForTest } from '../store/stores.ts'
import { newKey, newStateDir, revocationOf, share } from './world.ts'

interface Kind {
  /** The same keys each time that the same folder is opened. */
  open(stateDir: string): Promise<KeyStore>
}

const kinds: Readonly<Record<string, () => Promise<Kind>>> = {
  'a file': async () => ({
    async open(stateDir) {
      const file = openKeyFile(stateDir)
      onTestFinished(() => file.close())
      return file
    },
  }),
  'a store in memory': async () => {
    const store = await openStore('memory:')
    return { open: (stateDir) => share(store, stateDir) }
  },
  'a store in redis': async () => {
    const { url } = await redisForTest()
    return { open: async (stateDir) => share(await openStore(url), stateDir) }
  },
}

describe.each(Object.keys(kinds))('keys in %s', (name) => {
  const open = async () => {
    const kind = await (kinds[name] as () => Promise<Kind>)()
    const stateDir = await newStateDir()
    return { kind, stateDir, keys: await kind.open(stateDir) }
  }

  test('are none at first', async () => {
    const { keys } = await open()
    expect([keys.records().size, keys.revocations().size, keys.trouble()]).toEqual([0, 0, undefined])
    expect(keys.silentMs()).toBeLessThan(60_000)
  })

  test('are there once they are put, also after a restart', async () => {
    const { kind, stateDir, keys } = await open()
    const [one, other] = [newKey({ scopes: ['a'], routes: ['search'], rate: '100/min', expiresAt: 5 }), newKey()]
    expect(await keys.put(one.record)).toBe('done')
    expect(await keys.put(other.record)).toBe('done')
    expect(keys.records().get(one.record.id)).toEqual(one.record)
    keys.close()
    const again = await kind.open(stateDir)
    expect(new Set(again.records().values())).toEqual(new Set([one.record, other.record]))
  })

  test('are changed by whoever knows the newest version, and by nobody else', async () => {
    const { keys } = await open()
    const { record } = newKey()
    await keys.put(record)
    expect(await keys.put(record)).toBe('conflict')
    expect(await keys.put({ ...record, version: 2, owner: 'second' })).toBe('done')
    expect(await keys.put({ ...record, version: 2, owner: 'late' })).toBe('conflict')
    expect(keys.records().get(record.id)?.owner).toBe('second')
  })

  test('are revoked at once, for good, and for the first reason', async () => {
    const { kind, stateDir, keys } = await open()
    const made = newKey()
    await keys.put(made.record)
    const first = revocationOf(made, 'first')
    const revoked = keys.revoke(first)
    expect(keys.revocations().get(made.record.id)).toEqual(first)
    expect(await revoked).toBe(true)
    expect(await keys.revoke(revocationOf(made, 'second'))).toBe(true)
    await keys.put({ ...made.record, version: 2 })
    keys.close()
    const again = await kind.open(stateDir)
    expect([...again.revocations().values()]).toEqual([first])
  })

  test('tell of each change', async () => {
    const { keys } = await open()
    const told: string[] = []
    const end = keys.onChange(() => told.push(`${keys.records().size} ${keys.revocations().size}`))
    const made = newKey()
    await keys.put(made.record)
    await keys.revoke(revocationOf(made))
    expect(told).toEqual(['1 0', '1 1'])
    end()
    await keys.put(newKey().record)
    expect(told).toHaveLength(2)
  })
})
