// Orders about rollouts: what takes effect, what is refused, and who hears of it.
import { describe, expect, test } from 'vitest'
import type { RolloutDeclaration } from '../../gateway/model.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'
import { Refusal } from '../../gateway/state/rolloutBook.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { newStateDir, noon, start } from './rolloutWorld.ts'

const ann = { by: 'ann', reason: 'too many failures', evidence: { failed: 12 } }
const search = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1_000 })
const orders = rolloutOf('orders', { stage: 'live' })
const canary = (percent: number) => standingAt('canary', { shareBasisPoints: percent * 100 })

async function started(...rollouts: readonly RolloutDeclaration[]) {
  const world = await start(await newStateDir())
  world.declare(...rollouts)
  return world
}

test('a rollback holds from the moment that it is ordered, before anything is written', async () => {
  const { book, stands } = await started(search, orders)
  const written = book.rollBack('search', ann)
  expect(stands('search')).toBe('shadow, rollback')
  expect(book.standing(search)).toMatchObject({ shareBasisPoints: 0, reason: 'too many failures' })
  expect(stands('orders')).toBe('live, file')
  await written
})

test('a request that runs under an older file sees a rollback too', async () => {
  const { book, declare } = await started(search)
  declare(rolloutOf('search', { stage: 'live' }))
  await book.rollBack('search', ann)
  expect(book.standing(search).stage).toBe('shadow')
})

test('an order is about a rollout by its key or by one of its routes', async () => {
  const { book, stands } = await started(rolloutOf('catalog', { of: 'group', routes: ['list', 'item'], stage: 'live' }))
  await book.rollBack('item', ann)
  expect(stands('catalog')).toBe('shadow, rollback')
  expect(book.state('list').overrides.rollback).toEqual({
    ...ann,
    at: noon,
    from: standingAt('live'),
    to: standingAt('shadow'),
    hash: 'live 0',
  })
})

test('a second rollback changes nothing about the first', async () => {
  const { book, changes } = await started(search)
  await book.rollBack('search', ann)
  await book.rollBack('search', { by: 'guard', reason: 'later' })
  expect(book.state('search').overrides.rollback).toMatchObject(ann)
  expect(changes).toHaveLength(1)
})

test('a rollback is kept for what is away for a while, and holds when it comes back', async () => {
  const { book, stands, declare } = await started(search, orders)
  await book.rollBack('search', ann)
  declare(orders)
  expect(book.orphans(new Map([['orders', orders]]))).toHaveLength(1)
  declare(search, orders)
  expect(stands('search')).toBe('shadow, rollback')
})

test('a rollback ends by an acknowledgement, and the file holds again', async () => {
  const { book, stands } = await started(search)
  await book.rollBack('search', ann)
  await book.acknowledge('search', { by: 'bob', reason: 'mended' })
  expect(stands('search')).toBe('canary 10%, file')
})

test('a pause holds what is reached: neither an edit nor an advance raises it, and an edit may lower it', async () => {
  const { book, stands, declare } = await started(search)
  await book.advance('search', canary(25), { by: 'steps', reason: 'passed' })
  await book.pause('search', ann)
  declare(rolloutOf('search', { stage: 'live' }))
  expect(stands('search')).toBe('canary 25%, pause')
  declare(rolloutOf('search', { stage: 'canary', shareBasisPoints: 500 }))
  expect(stands('search')).toBe('canary 5%, file')
  declare(search)
  await book.resume('search', ann)
  expect(stands('search')).toBe('canary 10%, file')
})

test('a paused rollout rolls back, and is still paused once that is acknowledged', async () => {
  const { book, stands } = await started(search)
  await book.pause('search', ann)
  await book.rollBack('search', ann)
  expect(stands('search')).toBe('shadow, rollback')
  await book.acknowledge('search', ann)
  expect(stands('search')).toBe('canary 10%, pause')
})

test('an advance goes further than the file, until the file says something else', async () => {
  const { book, stands, declare } = await started(search)
  await book.advance('search', canary(25), ann)
  expect(stands('search')).toBe('canary 25%, advance')
  declare({ ...search, hash: 'edited' })
  expect(stands('search')).toBe('canary 25%, advance')
  declare(rolloutOf('search', { stage: 'canary', shareBasisPoints: 2_000 }))
  expect(stands('search')).toBe('canary 20%, file')
})

test('a rollback ends an advance for good', async () => {
  const { book, stands } = await started(search)
  await book.advance('search', canary(25), ann)
  await book.rollBack('search', ann)
  await book.acknowledge('search', ann)
  expect(stands('search')).toBe('canary 10%, file')
})

test('an advance to what the file says is none', async () => {
  const { book, stands } = await started(search)
  await book.advance('search', canary(25), ann)
  await book.advance('search', canary(10), ann)
  expect(stands('search')).toBe('canary 10%, file')
  expect(book.state('search').overrides).toEqual({})
})

test('broken glass goes before a rollback, holds for rollouts that come later, and leaves no trace', async () => {
  const { book, stands, declare } = await started(search)
  await book.rollBack('search', ann)
  book.breakGlass('all')
  declare(search, orders)
  expect([stands('search'), stands('orders')]).toEqual(['legacy, breakGlass', 'legacy, breakGlass'])
  book.breakGlass(new Set(['orders']))
  expect([stands('search'), stands('orders')]).toEqual(['shadow, rollback', 'legacy, breakGlass'])
  book.breakGlass(new Set())
  expect([stands('search'), stands('orders')]).toEqual(['shadow, rollback', 'live, file'])
})

test('a rollback that is ordered while the glass is broken holds once that is lifted', async () => {
  const { book, stands } = await started(search, orders)
  book.breakGlass('all')
  await book.rollBack('search', ann)
  expect(stands('search')).toBe('legacy, breakGlass')
  expect(book.state('search').overrides.rollback).toMatchObject({ from: search.declared })
  book.breakGlass(new Set())
  expect([stands('search'), stands('orders')]).toEqual(['shadow, rollback', 'live, file'])
})

describe('refused, with what to do instead, is', () => {
  test.each([
    [
      'an order about nothing that moves',
      'rollBack',
      'serach',
      'no route or group "serach" moves; those that do are search, orders, done, old',
    ],
    [
      'a rollback past final',
      'rollBack',
      'done',
      '"done" is final: the old side is never asked again; an edit of routes.yaml is the only way',
    ],
    [
      'a rollback of what has not moved',
      'rollBack',
      'old',
      '"old" stands at legacy, where the old side answers already',
    ],
    ['an end of no pause', 'resume', 'search', '"search" is not paused'],
    [
      'an acknowledgement of nothing',
      'acknowledge',
      'search',
      '"search" is not rolled back: nothing is to be acknowledged',
    ],
  ] as const)('%s', async (_, order, key, sentence) => {
    const { book, changes } = await started(search, orders, rolloutOf('done', { stage: 'final' }), rolloutOf('old'))
    const refused = await book[order](key, ann).catch((thrown: unknown) => thrown)
    expect(refused).toBeInstanceOf(Refusal)
    expect((refused as Refusal).message).toBe(sentence)
    expect(changes).toEqual([])
  })

  test('an advance of what is rolled back or paused', async () => {
    const { book, stands } = await started(search, orders)
    await book.rollBack('search', ann)
    await book.pause('orders', ann)
    await expect(book.advance('search', canary(25), ann)).rejects.toThrow(
      '"search" was rolled back (too many failures); acknowledge it first: banyan ack search',
    )
    await expect(book.advance('orders', standingAt('final'), ann)).rejects.toThrow(
      '"orders" is paused (too many failures); resume it first: banyan resume orders',
    )
    expect([stands('search'), stands('orders')]).toEqual(['shadow, rollback', 'live, pause'])
  })
})

describe('told is', () => {
  test('each order once, with who, why, from and to', async () => {
    const { book, changes } = await started(search)
    await book.pause('search', ann)
    await book.rollBack('search', ann)
    await book.acknowledge('search', { by: 'bob', reason: 'mended' })
    expect(changes.map(({ kind, by, from, to }) => [kind, by, from.stage, to.stage])).toEqual([
      ['pause', 'ann', 'canary', 'canary'],
      ['rollback', 'ann', 'canary', 'shadow'],
      ['ack', 'bob', 'shadow', 'canary'],
    ])
    expect(changes[1]).toMatchObject(ann)
  })

  test('an edit that moves it, or that ends an override; another one is not', async () => {
    const { book, changes, declare } = await started(search, orders)
    declare({ ...search, hash: 'edited' }, orders)
    expect(changes).toEqual([])
    declare(rolloutOf('search', { stage: 'canary', shareBasisPoints: 500 }), orders)
    await book.rollBack('orders', ann)
    declare(rolloutOf('search', { stage: 'canary', shareBasisPoints: 500 }), rolloutOf('orders', { stage: 'shadow' }))
    expect(changes.map(({ kind, by, reason, rollout }) => [rollout.key, kind, by, reason])).toEqual([
      ['search', 'stage', 'file', 'routes.yaml was edited'],
      ['orders', 'rollback', 'ann', 'too many failures'],
      ['orders', 'stage', 'file', 'the file asks for shadow: the rollback has been taken over'],
    ])
  })

  test('since when it stands where it does: no edit of something else begins that anew', async () => {
    const { book, declare, wind } = await started(search)
    wind(1_000)
    declare({ ...search, hash: 'edited' })
    expect(book.state('search').since).toBe(noon)
    await book.rollBack('search', ann)
    wind(2_000)
    await book.pause('search', ann)
    expect(book.state('search').since).toBe(noon + 1_000)
  })
})
