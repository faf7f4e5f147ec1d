import { describe, expect, test } from 'vitest'
import { rolloutOf } from '../rollout/declared.ts'
import { guardWorld } from './guardWorld.ts'

const canary = { stage: 'canary', shareBasisPoints: 1_000, stickyBy: { by: 'address' } } as const
const failing = (upstream: string, i: number) => (upstream === 'search' && i % 20 === 0 ? { status: 503 } : {})

describe('a candidate that fails', () => {
  test('is rolled back within five seconds of its first failure, with the figures', async () => {
    const world = await guardWorld(rolloutOf('search', canary))
    world.run(60, { old: 900, new: 100 })
    expect(world.effective()).toMatchObject({ stage: 'canary', why: 'file' })
    world.run(5, { old: 900, new: 100 }, failing)
    expect(world.effective()).toMatchObject({ stage: 'shadow', shareBasisPoints: 0, why: 'rollback' })
    const { rollback } = world.rollouts.state('search').overrides
    expect(rollback).toMatchObject({ by: 'guard', from: { stage: 'canary', shareBasisPoints: 1_000 } })
    expect(rollback?.evidence).toMatchObject({ control: 'oldSide' })
  })

  test('is rolled back while paused too', async () => {
    const world = await guardWorld(rolloutOf('search', canary))
    await world.rollouts.pause('search', { by: 'ana', reason: 'lunch' })
    world.run(10, { old: 900, new: 100 }, failing)
    expect(world.effective()).toMatchObject({ stage: 'shadow', why: 'rollback' })
  })

  test('goes back to legacy where nothing compares', async () => {
    const world = await guardWorld(rolloutOf('search', { ...canary, compares: false }))
    world.run(10, { old: 900, new: 100 }, failing)
    expect(world.effective()).toMatchObject({ stage: 'legacy', why: 'rollback' })
  })

  test('is judged right after an edit, by what came after it', async () => {
    const world = await guardWorld(rolloutOf('search', canary))
    world.run(60, { old: 900, new: 100 })
    world.declare(rolloutOf('search', { ...canary, shareBasisPoints: 2_000 }))
    expect(world.guards.verdictOf('search')).toBeUndefined()
    world.run(5, { old: 800, new: 200 }, failing)
    expect(world.effective().why).toBe('rollback')
  })

  test('is only paused and told of where it takes writes that the old side would not have', async () => {
    const world = await guardWorld(rolloutOf('search', { ...canary, takesWrites: true }))
    world.run(10, { old: 900, new: 100 }, failing)
    expect(world.effective()).toMatchObject({ stage: 'canary', shareBasisPoints: 1_000, why: 'pause' })
    expect(world.alarms).toHaveLength(1)
    expect(world.alarms[0]).toContain('banyan rollback search')
  })

  test('is paused and told of once more when it is resumed and fails on, and not for what was before', async () => {
    const world = await guardWorld(rolloutOf('search', { ...canary, takesWrites: true }))
    world.run(10, { old: 900, new: 100 }, failing)
    await world.rollouts.resume('search', { by: 'ann', reason: 'mended' })
    world.run(5, { old: 900, new: 100 })
    expect([world.effective().why, world.alarms.length]).toEqual(['file', 1])
    world.run(10, { old: 900, new: 100 }, failing)
    expect([world.effective().why, world.alarms.length]).toEqual(['pause', 2])
  })

  test('is rolled back with its writes where the operator says that they survive', async () => {
    const world = await guardWorld(rolloutOf('search', { ...canary, takesWrites: true, writesSurviveRollback: true }))
    world.run(10, { old: 900, new: 100 }, failing)
    expect(world.effective().why).toBe('rollback')
  })
})

test('so many failures in a row are enough where hardly anybody comes, the first one counted', async () => {
  const world = await guardWorld(rolloutOf('search', canary))
  world.run(1, { old: 10, new: 4 }, (upstream) => (upstream === 'search' ? { status: 503 } : {}))
  expect(world.effective().why).toBe('file')
  world.run(1, { old: 10, new: 1 }, (upstream) => (upstream === 'search' ? { status: 503 } : {}))
  expect(world.effective().why).toBe('rollback')
})

describe('in live', () => {
  test('the control is the baseline that was frozen when canary ended, over a restart of nothing else', async () => {
    const world = await guardWorld(rolloutOf('search', { ...canary, shareBasisPoints: 5_000 }))
    world.run(60, { old: 100, new: 100 })
    world.declare(rolloutOf('search', { stage: 'live' }))
    world.run(60, { new: 100 })
    expect(world.guards.verdictOf('search')?.verdict).toMatchObject({
      result: 'pass',
      evidence: { control: 'frozenBaseline' },
    })
    world.run(5, { new: 100 }, failing)
    expect(world.effective()).toMatchObject({ stage: 'shadow', why: 'rollback' })
  })

  test('the control is the holdback where there is one', async () => {
    const world = await guardWorld(
      rolloutOf('search', { stage: 'live', holdbackBasisPoints: 1_000, stickyBy: { by: 'address' } }),
    )
    world.run(60, { old: 10, new: 90 })
    expect(world.guards.verdictOf('search')?.verdict.evidence.control).toBe('holdback')
  })

  test('the control is the reverse comparison where the old side is asked beside', async () => {
    const world = await guardWorld(rolloutOf('search', { stage: 'live' }))
    world.run(60, { old: 20, new: 100 }, (upstream) => (upstream === 'monolith' ? { role: 'shadow' } : {}))
    expect(world.guards.verdictOf('search')?.verdict.evidence.control).toBe('reverseComparison')
  })

  test('without any control nothing is a pass', async () => {
    const world = await guardWorld(rolloutOf('search', { stage: 'live' }))
    world.run(120, { new: 100 })
    expect(world.guards.verdictOf('search')?.verdict.result).toBe('inconclusive')
  })
})

describe('the steps', () => {
  const stepping = {
    ...canary,
    shareBasisPoints: 100,
    advance: { stepsBasisPoints: [100, 500, 2_500], eachMs: 60_000 },
  }

  test('are taken one after another while the verdict is pass, and end at the last', async () => {
    const world = await guardWorld(rolloutOf('search', stepping))
    const shares: number[] = []
    world.rollouts.onChange(({ to }) => shares.push(to.shareBasisPoints))
    world.run(600, { old: 100, new: 100 })
    expect(shares).toEqual([500, 2_500])
    expect(world.effective()).toMatchObject({ stage: 'canary', shareBasisPoints: 2_500, why: 'advance' })
  })

  test('are never taken by a silent route', async () => {
    const world = await guardWorld(rolloutOf('search', stepping))
    world.run(3_600, {})
    expect(world.effective()).toMatchObject({ shareBasisPoints: 100, why: 'file' })
    expect(world.guards.verdictOf('search')?.verdict.result).toBe('inconclusive')
  })

  test('are not taken while paused, nor outside their hours', async () => {
    const paused = await guardWorld(rolloutOf('search', stepping))
    await paused.rollouts.pause('search', { by: 'ana', reason: 'lunch' })
    paused.run(300, { old: 100, new: 100 })
    expect(paused.effective()).toMatchObject({ shareBasisPoints: 100, why: 'pause' })
    const closed = await guardWorld(
      rolloutOf('search', { ...stepping, advance: { ...stepping.advance, hours: 'Tue 09:00-16:00' } }),
    )
    closed.run(300, { old: 100, new: 100 })
    expect(closed.effective()).toMatchObject({ shareBasisPoints: 100, why: 'file' })
  })
})

test('requests that began under the standing before say nothing about this one', async () => {
  const world = await guardWorld(rolloutOf('search', canary))
  world.run(60, { old: 900, new: 100 })
  world.declare(rolloutOf('search', { ...canary, shareBasisPoints: 2_000 }))
  world.run(1, { old: 100, new: 100 }, () => ({ status: 503, totalMs: 30_000 }))
  expect(world.effective()).toMatchObject({ stage: 'canary', why: 'file' })
  expect(world.guards.seenOf('search')?.spans.every(({ candidate }) => candidate[0] === 0)).toBe(true)
})
