// What each tier of the stock promises, held by both.
import { describe, expect, test } from 'vitest'
import { type Stored, storedOf } from '../../../gateway/caching/stored.ts'
import { stored } from '../../caching/world.ts'
import { type TierUnderTest, tiers } from './worlds.ts'

const answered = ['Cache-Control: max-age=100', 'Vary: X-Kind']
const of = (kind: string, body = kind, millisecond = 0): Stored => {
  const one = stored({ answered, asked: [`X-Kind: ${kind}`], body })
  return { ...one, receivedAtMs: one.receivedAtMs + millisecond }
}
const tag = ['a']

describe.each(Object.keys(tiers))('the tier in %s', (kind) => {
  const open = () => (tiers[kind] as () => Promise<TierUnderTest>)()
  const bodiesIn = async (tier: TierUnderTest, key: string) => (await tier.get(key)).map(({ body }) => body.toString())
  const countsIn = async (tier: TierUnderTest, keys: string[]) =>
    Promise.all(keys.map(async (key) => (await tier.get(key)).length))

  test.each([0, 1, 65_535, 65_536, 65_537, 1_048_576])('gives back a body of %i bytes, and its head', async (bytes) => {
    const tier = await open()
    const head = stored({ answered: ['ETag: "\u00e4\u00ff"', 'X-Case: Kept', 'x-case: too', 'Age: 7'] })
    const whole = storedOf(head, Buffer.alloc(bytes, Buffer.from([0, 255, 128, 13, 10, 200])))
    await tier.put('k', whole, tag)
    const [found, ...more] = await tier.get('k')
    expect(found?.body.equals(whole.body)).toBe(true)
    expect({ ...found, body: undefined }).toEqual({ ...whole, body: undefined })
    expect(more).toEqual([])
  })

  test('keeps what is for different requests side by side, and the newer in place of the older', async () => {
    const tier = await open()
    for (const one of [of('x'), of('y', 'y', 1), of('x', 'newer', 2)]) await tier.put('k', one, tag)
    expect(await bodiesIn(tier, 'k')).toEqual(['newer', 'y'])
  })

  test('keeps sixteen of a key at most, the newest', async () => {
    const tier = await open()
    for (let i = 0; i < 40; i += 1) await tier.put('k', of(`${i}`, `${i}`, i), tag)
    expect(await bodiesIn(tier, 'k')).toEqual(Array.from({ length: 16 }, (_, i) => `${39 - i}`))
  })

  test('forgets all that bears a tag, and nothing else', async () => {
    const tier = await open()
    await tier.put('k', of('x'), ['one', 'two'])
    await tier.put('l', of('x'), ['two'])
    await tier.put('m', of('x'), ['three'])
    await tier.purge(['one'])
    expect(await countsIn(tier, ['k', 'l', 'm'])).toEqual([0, 1, 1])
    await tier.purge(['two', 'four'])
    expect(await countsIn(tier, ['k', 'l', 'm'])).toEqual([0, 0, 1])
    await tier.drop('m')
    expect(await countsIn(tier, ['m'])).toEqual([0])
  })

  test('takes in nothing that was asked for before its purge, and all that was asked for after', async () => {
    const tier = await open()
    const since = tier.now()
    await tier.purge(['a'])
    await tier.put('k', of('x'), ['b', 'a'], since)
    await tier.put('l', of('x'), ['b'], since)
    await tier.put('m', of('x'), ['a', 'b'])
    expect(await countsIn(tier, ['k', 'l', 'm'])).toEqual([0, 1, 1])
  })

  test('forgets again what was put again', async () => {
    const tier = await open()
    for (const body of ['first', 'second', 'third']) {
      await tier.put('k', of('x', body), tag)
      expect(await bodiesIn(tier, 'k')).toEqual([body])
      await tier.purge(tag)
      expect(await bodiesIn(tier, 'k')).toEqual([])
    }
  })
})
