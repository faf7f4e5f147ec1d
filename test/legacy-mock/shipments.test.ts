// The JSON API of the shipments, with its conditions.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import type { ShipmentRow } from '../../legacy-mock/shipments.ts'
import type { Running } from '../../services/kit/server.ts'
import { exchangeBytes } from '../services/ask.ts'

let monolith: Running
beforeAll(async () => {
  monolith = await startMonolith({ port: 0 })
})
afterAll(() => monolith.stop())

interface List {
  readonly total: number
  readonly shipments: readonly ShipmentRow[]
}

const booking = {
  customerId: 3,
  origin: 'Hamburg',
  destination: 'Busan',
  commodity: 'zeppelin parts',
  weightKg: 40,
  departsOn: '2026-01-31',
}

const ask = (path: string, init: RequestInit = {}) => fetch(`${monolith.url}${path}`, init)
const send = (method: string, path: string, content: unknown, fields: Record<string, string> = {}) =>
  ask(path, { method, headers: { 'Content-Type': 'application/json', ...fields }, body: JSON.stringify(content) })
const read = async (answer: Response) => (await answer.json()) as ShipmentRow
const book = async (change: object = {}) => read(await send('POST', '/api/shipments', { ...booking, ...change }))

describe('the list', () => {
  test('is given page by page, each shipment once', async () => {
    const page = async (number: number) => (await (await ask(`/api/shipments?page=${number}&size=200`)).json()) as List
    const { total } = await page(1)
    expect(total).toBeGreaterThanOrEqual(3000)
    const pages = await Promise.all(Array.from({ length: Math.ceil(total / 200) }, (_, index) => page(index + 1)))
    expect(new Set(pages.flatMap(({ shipments }) => shipments.map(({ id }) => id))).size).toBe(total)
  })

  test('is filtered by all that is asked for', async () => {
    const answer = await ask('/api/shipments?status=delivered&origin=G%C3%B6teborg&size=200')
    const { total, shipments } = (await answer.json()) as List
    expect(total).toBeGreaterThan(0)
    expect(shipments.every(({ status, origin }) => status === 'delivered' && origin === 'Göteborg')).toBe(true)
  })

  test.each(['page=0', 'size=201', 'status=stolen', 'customer=x'])('refuses %s', async (query) => {
    const answer = await ask(`/api/shipments?${query}`)
    expect([answer.status, await answer.json()]).toEqual([400, { error: expect.any(String) }])
  })
})

describe('a booking', () => {
  test('is 201 with an absolute Location built from Host and X-Forwarded-Proto', async () => {
    const answer = await send('POST', '/api/shipments', booking, { 'X-Forwarded-Proto': 'https, http' })
    const added = await read(answer)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`https://${new URL(monolith.url).host}/api/shipments/${added.id}`)
    expect(added).toMatchObject({ ...booking, status: 'booked', manifestId: null, version: 1 })
    expect(await (await ask(`/api/shipments/${added.id}`)).json()).toEqual(added)
  })

  test('is found by the search at once, and no more once it is struck out', async () => {
    const { id } = await book({ commodity: 'dodo feathers' })
    const found = async () => ((await (await ask('/api/search?q=dodo')).json()) as { total: number }).total
    expect(await found()).toBe(1)
    const deleted = await ask(`/api/shipments/${id}`, { method: 'DELETE' })
    expect([deleted.status, await deleted.text()]).toEqual([204, ''])
    expect(await found()).toBe(0)
    expect((await ask(`/api/shipments/${id}`)).status).toBe(404)
  })

  test.each([
    [{ ...booking, weightKg: 0 }, /weightKg/],
    [{ ...booking, departsOn: '2026-13-45' }, /departsOn/],
    [{ ...booking, customerId: 999_999 }, /no customer/],
    [{ ...booking, manifestId: 999_999 }, /no manifest/],
    [{ ...booking, colour: 'red' }, /unknown key "colour"/],
    [{}, /customerId/],
    [[], /JSON object/],
  ])('%j is refused with a reason', async (content, reason) => {
    const answer = await send('POST', '/api/shipments', content)
    expect(answer.status).toBe(400)
    expect(((await answer.json()) as { error: string }).error).toMatch(reason)
  })

  test('is refused for what is no JSON, and for another type', async () => {
    const broken = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{' }
    const form = { method: 'POST', body: new URLSearchParams('a=b') }
    expect([(await ask('/api/shipments', broken)).status, (await ask('/api/shipments', form)).status]).toEqual([
      400, 415,
    ])
  })

  test('beyond a megabyte is 413, and the connection serves on', async () => {
    const long = 'x'.repeat(2_000_000)
    const head = `Host: x\r\nContent-Type: application/json\r\nContent-Length: ${long.length}`
    const requests = `POST /api/shipments HTTP/1.1\r\n${head}\r\n\r\n${long}GET /odd/reason HTTP/1.1\r\nHost: x\r\nConnection: close`
    const answers = await exchangeBytes(monolith.url, `${requests}\r\n\r\n`)
    expect(answers).toMatch(/^HTTP\/1.1 413 [\s\S]*HTTP\/1.1 200 Freight Loaded\r\n/)
  })
})

describe('conditions', () => {
  test('If-None-Match with the present tag is 304 without a body, with another one 200', async () => {
    const { id } = await book()
    const tag = (await ask(`/api/shipments/${id}`)).headers.get('etag') ?? ''
    const same = await ask(`/api/shipments/${id}`, { headers: { 'If-None-Match': `"old", W/${tag}` } })
    expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, tag, ''])
    const other = await ask(`/api/shipments/${id}`, { headers: { 'If-None-Match': '"old"' } })
    expect([other.status, (await read(other)).id]).toEqual([200, id])
  })

  test('If-Match lets the first of two dispatchers through and not the second', async () => {
    const { id } = await book()
    const tag = (await ask(`/api/shipments/${id}`)).headers.get('etag') ?? ''
    const put = (weightKg: number) => send('PUT', `/api/shipments/${id}`, { ...booking, weightKg }, { 'If-Match': tag })
    const first = await put(41)
    expect([first.status, await read(first)]).toEqual([200, expect.objectContaining({ weightKg: 41, version: 2 })])
    expect(first.headers.get('etag')).not.toBe(tag)
    expect((await put(42)).status).toBe(412)
    expect(await read(await ask(`/api/shipments/${id}`))).toMatchObject({ weightKg: 41 })
    expect((await ask(`/api/shipments/${id}`, { method: 'DELETE', headers: { 'If-Match': tag } })).status).toBe(412)
  })

  test('If-Match is compared strongly, * is whatever there is', async () => {
    const { id } = await book()
    const tag = (await ask(`/api/shipments/${id}`)).headers.get('etag') ?? ''
    const put = (condition: string, path = `/api/shipments/${id}`) =>
      send('PUT', path, booking, { 'If-Match': condition })
    expect((await put(`W/${tag}`)).status).toBe(412)
    expect((await put('*')).status).toBe(200)
    expect((await put('*', '/api/shipments/999999')).status).toBe(412)
  })

  test('a change of what is not there is 404', async () => {
    expect((await send('PUT', '/api/shipments/999999', booking)).status).toBe(404)
    expect((await ask('/api/shipments/seven', { method: 'DELETE' })).status).toBe(404)
  })

  test('an unknown method is 405 and says what is allowed', async () => {
    const answer = await ask('/api/shipments/1', { method: 'PATCH' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, PUT, DELETE, HEAD'])
  })
})
