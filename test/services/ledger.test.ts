// The ledger: who came, and how it ended.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Ledger } from '../../services/kit/ledger.ts'
import type { Running } from '../../services/kit/server.ts'
import { startSearch } from '../../services/search/search.ts'
import { awaitEntry, ledgerOf, openSocket } from './ask.ts'

const arrival = (id: string) => ({ id, method: 'GET', path: '/x' })

describe('the ring', () => {
  test('keeps the newest entries and counts those it dropped', () => {
    const ledger = new Ledger(3)
    for (const id of ['a', 'b', 'c', 'd', 'e']) ledger.open(arrival(id))
    const page = ledger.read(0, 10)
    expect(page.entries.map(({ id, seq }) => `${seq}${id}`)).toEqual(['3c', '4d', '5e'])
    expect(page).toMatchObject({ next: 5, dropped: 2 })
  })

  test('is read page by page without a gap and without an entry twice', () => {
    const ledger = new Ledger()
    for (let n = 1; n <= 25; n += 1) ledger.open(arrival(`r${n}`))
    const seen: string[] = []
    for (let after = 0, pages = 0; pages < 4; pages += 1) {
      const page = ledger.read(after, 10)
      seen.push(...page.entries.map(({ id }) => id))
      after = page.next
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `r${index + 1}`))
  })

  test('when emptied goes on counting, so that an old "after" stays right', () => {
    const ledger = new Ledger(2)
    for (const id of ['a', 'b', 'c']) ledger.open(arrival(id))
    ledger.empty()
    expect(ledger.read(1, 10)).toEqual({ entries: [], next: 3, dropped: 0 })
    ledger.open(arrival('d'))
    expect(ledger.read(1, 10)).toMatchObject({ entries: [{ seq: 4, id: 'd' }], next: 4, dropped: 0 })
    expect(ledger.size).toBe(1)
  })
})

describe('the ledger of a system', () => {
  let search: Running
  beforeAll(async () => {
    search = await startSearch({ port: 0 })
  })
  afterAll(() => search.stop())

  const ask = (path: string, fields: Record<string, string>) =>
    fetch(`${search.url}${path}`, { headers: fields }).then((answer) => answer.text())

  test('has each request that carries an id, with its role and without its query', async () => {
    await ask('/api/search?q=secret', { 'X-Request-Id': 'one', 'Banyan-Role': 'shadow' })
    const entry = await awaitEntry(search.url, 'one', { state: 'answered' })
    const { seq, ...rest } = entry
    expect(seq).toBeGreaterThan(0)
    const expected = { id: 'one', method: 'GET', path: '/api/search', status: 200, state: 'answered', role: 'shadow' }
    expect(rest).toEqual(expected)
  })

  test('has a refused request too, with its status', async () => {
    await ask('/nowhere', { 'X-Request-Id': 'lost' })
    expect(await awaitEntry(search.url, 'lost', { state: 'answered' })).toMatchObject({ status: 404, path: '/nowhere' })
  })

  test('leaves out requests without an id, and the operators', async () => {
    const before = (await ledgerOf(search.url)).length
    await ask('/api/search?q=tea', {})
    await ask('/healthz', { 'X-Request-Id': 'health' })
    await ask('/_ops/metrics', { 'X-Request-Id': 'metrics' })
    expect(await ledgerOf(search.url)).toHaveLength(before)
  })

  test('has a request that still runs, and says so when its client leaves', async () => {
    const socket = await openSocket(search.url)
    socket.write('GET /api/search?q=tea&delay=300 HTTP/1.1\r\nHost: x\r\nX-Request-Id: left\r\n\r\n')
    expect(await awaitEntry(search.url, 'left', { state: 'running' })).toMatchObject({ status: null })
    socket.destroy()
    expect(await awaitEntry(search.url, 'left', { state: 'aborted' })).toMatchObject({ status: null })
  })

  test('is emptied by DELETE', async () => {
    await ask('/api/search?q=tea', { 'X-Request-Id': 'gone soon' })
    const answer = await fetch(`${search.url}/_ops/ledger`, { method: 'DELETE' })
    expect(answer.status).toBe(204)
    expect(await ledgerOf(search.url)).toEqual([])
  })

  test.each(['after=-1', 'after=x', 'limit=0'])('refuses %s', async (query) => {
    const answer = await fetch(`${search.url}/_ops/ledger?${query}`)
    expect(answer.status).toBe(400)
  })
})
