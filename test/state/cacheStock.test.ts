// The stock in this process: bounded by bytes, and what is purged stays away.
import { describe, expect, test } from 'vitest'
import { createMemoryStock } from '../../gateway/state/cacheStock.ts'
import { stored } from '../caching/world.ts'

const put = { tags: ['a'], since: 0 }
const answered = ['Cache-Control: max-age=100', 'Vary: X-Kind']
const of = (kind: string, body = kind) => stored({ answered, asked: [`X-Kind: ${kind}`], body })

describe('the stock', () => {
  test('keeps what is for different requests side by side, and the newer in place of the older', async () => {
    const stock = createMemoryStock(1_000_000)
    for (const one of [of('x'), of('y'), of('x', 'newer')]) stock.put('k', one, put)
    expect(stock.get('k').map(({ body }) => body.toString())).toEqual(['newer', 'y'])
  })

  test('keeps sixteen of a key at most', async () => {
    const stock = createMemoryStock(1_000_000)
    for (let i = 0; i < 40; i += 1) stock.put('k', of(`${i}`), put)
    expect(stock.get('k').map(({ body }) => body.toString())).toEqual(Array.from({ length: 16 }, (_, i) => `${39 - i}`))
  })

  test('forgets what was used least lately beyond its bytes, and takes in nothing larger than all of it', async () => {
    const stock = createMemoryStock(100_000)
    const body = 'x'.repeat(20_000)
    for (const key of ['a', 'b', 'c', 'd']) stock.put(key, of('x', body), { tags: [key], since: 0 })
    stock.get('a')
    stock.put('e', of('x', body), { tags: ['e'], since: 0 })
    expect(stock.figures().bytes).toBeLessThanOrEqual(100_000)
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => stock.get(key).length)).toEqual([1, 0, 1, 1, 1])
    stock.put('f', of('x', 'x'.repeat(100_001)), { tags: ['f'], since: 0 })
    expect([stock.figures().keys, stock.get('f').length]).toEqual([4, 0])
  })

  test('forgets all that bears a tag, and nothing else', async () => {
    const stock = createMemoryStock(1_000_000)
    stock.put('k', of('x'), { tags: ['one', 'two'], since: 0 })
    stock.put('l', of('x'), { tags: ['two'], since: 0 })
    stock.put('m', of('x'), { tags: ['three'], since: 0 })
    stock.purge(['one'])
    expect(stock.figures().keys).toBe(2)
    stock.purge(['two', 'four'])
    expect([stock.get('l').length, stock.get('m').length]).toEqual([0, 1])
    stock.drop('m')
    expect(stock.figures()).toEqual({ keys: 0, bytes: 0 })
  })

  test('takes in nothing that was asked for before its purge, and all that was asked for after', async () => {
    const stock = createMemoryStock(1_000_000)
    const since = stock.now()
    stock.purge(['a'])
    stock.put('k', of('x'), { tags: ['a'], since })
    stock.put('l', of('x'), { tags: ['uri b'], since })
    stock.put('m', of('x'), { tags: ['a'], since: stock.now() })
    expect(['k', 'l', 'm'].map((key) => stock.get(key).length)).toEqual([0, 1, 1])
  })

  test('takes the purges that it no longer remembers one by one for purges of everything', async () => {
    const stock = createMemoryStock(1_000_000)
    const since = stock.now()
    stock.purge(['uri first'])
    const later = stock.now()
    for (let i = 0; i < 10_000; i += 1) stock.purge([`uri ${i}`])
    stock.put('k', of('x'), { tags: ['uri first'], since })
    stock.put('l', of('x'), { tags: ['uri other'], since: later })
    expect([stock.get('k').length, stock.get('l').length]).toEqual([0, 1])
  })
})
