// Whoever has just written reads from the side that took the write, whichever route it went through.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { ask, identityIn, type Sides, session, startBetween, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
afterAll(() => sides.close())

const inside = identityIn('orders', [0, 1_000])
const outside = identityIn('orders', [1_000, 10_000])

/** Reads of /orders move; writes of /orders stay with the old side, those of /carts are at the new one. */
function yaml(move = 'stage: canary, share: 10%', more = ''): string {
  return `${sides.yaml}
sessionCookie: SESSION
routes:
  - name: orders
    match: { path: /orders/*, methods: [GET, HEAD] }
    move: { to: new, ${move}, readYourWrites: { after: [/orders/*, POST /carts/:id/paid], for: 1h } }
  - { name: carts, match: { path: /carts/* }, upstream: new }
${more}`
}

async function readSide(gateway: TestGateway, identity: string): Promise<string> {
  return (await ask(gateway, '/orders/7', { fields: session(identity) })).side
}

async function write(gateway: TestGateway, path: string, identity: string, method = 'POST') {
  return ask(gateway, path, { method, fields: session(identity) })
}

describe('after a write, a client reads from the side that took it', () => {
  test('when that is the old side, and its share is with the new one', async () => {
    const gateway = await startBetween(yaml())
    expect(await readSide(gateway, inside)).toBe('new')
    expect((await write(gateway, '/orders', inside)).side).toBe('old')
    expect(await readSide(gateway, inside)).toBe('old')
    expect(await readSide(gateway, inside)).toBe('old')
  })

  test('when that is the new side, through a route that has nothing to do with the move', async () => {
    const gateway = await startBetween(yaml())
    expect((await write(gateway, '/carts/3/paid', outside)).side).toBe('new')
    expect(await readSide(gateway, outside)).toBe('new')
  })

  test('and of two the last one counts', async () => {
    const gateway = await startBetween(yaml())
    await write(gateway, '/carts/3/paid', outside)
    await write(gateway, '/orders/7', outside, 'PUT')
    expect(await readSide(gateway, outside)).toBe('old')
  })

  test('in live too, where all others read from the new side', async () => {
    const gateway = await startBetween(yaml('stage: live'))
    await write(gateway, '/orders', outside, 'DELETE')
    expect(await readSide(gateway, outside)).toBe('old')
    expect(await readSide(gateway, inside)).toBe('new')
  })

  test('and across an edit of the file', async () => {
    const gateway = await startBetween(yaml())
    await write(gateway, '/carts/3/paid', outside)
    await gateway.rewrite(yaml('stage: canary, share: 5%'))
    expect(await readSide(gateway, outside)).toBe('new')
  })
})

describe('what is remembered of a write', () => {
  test('is nothing for other clients, nor for one that nothing tells apart', async () => {
    const gateway = await startBetween(yaml())
    await write(gateway, '/carts/3/paid', outside)
    await ask(gateway, '/carts/3/paid', { method: 'POST' })
    expect(await readSide(gateway, identityIn('orders', [1_000, 10_000], 1))).toBe('old')
    expect((await ask(gateway, '/orders/7')).side).toBe('old')
  })

  test.each([
    ['a read', '/carts/3/paid', 'GET'],
    ['another method than the one that is named', '/carts/3/paid', 'PUT'],
    ['another path', '/carts/3', 'POST'],
    ['a path that only begins like it', '/carts/3/paid/twice', 'POST'],
    ['a write that was refused', '/carts/422', 'POST'],
  ])('is nothing after %s', async (_, path, method) => {
    const gateway = await startBetween(yaml().replace('POST /carts/:id/paid', 'POST /carts/:id/paid, /carts/422'))
    expect((await write(gateway, path, outside, method)).side).toBe('new')
    expect(await readSide(gateway, outside)).toBe('old')
  })

  test('is that it may have been carried out, when its answer never came', async () => {
    const gateway = await startBetween(yaml().replace('POST /carts/:id/paid', 'POST /carts/cut'))
    expect((await write(gateway, '/carts/cut', outside)).status).toBe(502)
    expect(await readSide(gateway, outside)).toBe('new')
  })

  test('is nothing when it cannot have been', async () => {
    const gateway = await startBetween(yaml().replace(sides.new.url, 'http://127.0.0.1:1'))
    expect((await write(gateway, '/carts/3/paid', outside)).status).toBe(502)
    expect(await readSide(gateway, outside)).toBe('old')
  })

  test('is nothing any more once its time is over', async () => {
    const gateway = await startBetween(yaml().replace('for: 1h', 'for: 0s'))
    await write(gateway, '/carts/3/paid', outside)
    expect(await readSide(gateway, outside)).toBe('old')
  })
})

describe('a write of who has just written', () => {
  test('goes where it always goes', async () => {
    const all = yaml().replace('methods: [GET, HEAD]', 'methods: [GET, PUT]')
    const gateway = await startBetween(all)
    await write(gateway, '/carts/3/paid', outside)
    expect(await readSide(gateway, outside)).toBe('new')
    expect((await write(gateway, '/orders/7', outside, 'PUT')).side).toBe('old')
  })
})

describe('where one side answers all', () => {
  test.each([
    ['legacy', 'old'],
    ['shadow', 'old'],
    ['final', 'new'],
  ])('at %s, it answers those too who wrote to the other one', async (stage, side) => {
    const gateway = await startBetween(yaml(`stage: ${stage}`))
    await write(gateway, stage === 'final' ? '/orders' : '/carts/3/paid', outside)
    expect(await readSide(gateway, outside)).toBe(side)
  })
})

test('the identity is that of the rollout that asks for it, taken from the fields of the write', async () => {
  const byField = yaml('stage: canary, share: 0%, stickyBy: { field: x-user }')
  const gateway = await startBetween(byField)
  await ask(gateway, '/carts/3/paid', { method: 'POST', fields: { 'X-User': 'ann', Cookie: 'SESSION=s1' } })
  const sideOf = async (fields: Record<string, string>) => (await ask(gateway, '/orders/7', { fields })).side
  expect(await sideOf({ 'X-User': 'ann', Cookie: 'SESSION=s2' })).toBe('new')
  expect(await sideOf({ 'X-User': 'bob', Cookie: 'SESSION=s1' })).toBe('old')
})
