import { Duplex, PassThrough, Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Answer, Body, Effective } from '../../gateway/model.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'
import { createStreams } from '../../gateway/state/streams.ts'
import { rolloutOf } from '../rollout/declared.ts'

const rollout = rolloutOf('x', { closeStreamsMs: 12_000 })
const live: Effective = { ...standingAt('live'), why: 'file' }
const half: Effective = { ...standingAt('canary', { shareBasisPoints: 5_000 }), why: 'file' }
const legacy: Effective = { ...standingAt('legacy'), why: 'rollback' }

/** Timers that fire when the clock is wound. */
function createWorld() {
  let at = 0
  let scheduled = 0
  let due: { run: () => void; at: number }[] = []
  const streams = createStreams({
    clock: { now: () => at },
    schedule(run, afterMs) {
      // As Node's own: more than it can count is one millisecond.
      due.push({ run, at: at + (afterMs > 2 ** 31 - 1 ? 1 : afterMs) })
      scheduled += 1
    },
  })
  return {
    streams,
    /** Sets the clock that much later. */
    wind(ms: number) {
      const until = at + ms
      for (;;) {
        const next = due.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        due = due.filter((timer) => timer !== next)
        at = Math.max(at, next.at)
        next.run()
      }
      at = until
    },
    /** Sets it later while nothing else is done, as on a machine that is busy. */
    stall(ms: number) {
      at += ms
    },
    waiting: () => due.length,
    scheduled: () => scheduled,
    now: () => at,
  }
}

type World = ReturnType<typeof createWorld>

interface Opened {
  readonly answer: Answer
  readonly held: Answer
  /** When it was told to leave, and when it was cut, in milliseconds of the clock. */
  readonly told: { leftAt?: number; cutAt?: number }
}

/** A tunnel whose client does not answer a goodbye. */
function openTunnel({ streams, now }: World, isAbandoned = () => true, receivedAt = now()): Opened {
  const told: Opened['told'] = {}
  const tunnel = new Duplex({
    read() {},
    destroy(_, done) {
      told.cutAt = now()
      answer.settle({ how: 'complete', bodyBytes: 0, at: now() })
      done(null)
    },
  })
  const answer = made({ tunnel })
  const held = streams.hold({ answer, rollout, receivedAt, isAbandoned })
  held.onLeave?.(() => {
    told.leftAt = now()
  })
  return { answer, held, told }
}

function made({ body, tunnel, fields = [] }: { body?: Body; tunnel?: Duplex; fields?: string[] }): Answer {
  return answerOf({ status: 200, reason: '', fields: fieldsOf(fields), body, tunnel, by: 'upstream' }, () => 0)
}

function openMany(world: World, count: number, isAbandoned?: () => boolean): Opened[] {
  return Array.from({ length: count }, () => openTunnel(world, isAbandoned))
}

describe('when a move goes back', () => {
  test('what it has open is told to leave one after another, evenly, and cut two seconds later', () => {
    const world = createWorld()
    const opened = openMany(world, 5)
    world.streams.turned({ rollout, from: live, to: legacy })
    world.wind(12_000)
    expect(opened.map(({ told }) => told.leftAt)).toEqual([0, 2_000, 4_000, 6_000, 8_000])
    expect(opened.map(({ told }) => told.cutAt)).toEqual([2_000, 4_000, 6_000, 8_000, 10_000])
    expect(world.streams.count('x')).toEqual({ open: 0, ended: 5 })
    expect(world.waiting()).toBe(0)
  })

  test('a busy machine tells all at once whose time has come: the bound holds', () => {
    const world = createWorld()
    const opened = openMany(world, 5)
    world.streams.turned({ rollout, from: live, to: legacy })
    world.stall(7_000)
    world.wind(5_000)
    expect(opened.map(({ told }) => told.leftAt)).toEqual([0, 7_000, 7_000, 7_000, 8_000])
    expect(Math.max(...opened.map(({ told }) => told.cutAt ?? Number.NaN))).toBeLessThanOrEqual(12_000)
  })

  test('of a short time half is for the goodbyes', () => {
    const world = createWorld()
    const opened = openMany(world, 2)
    world.streams.turned({ rollout: { ...rollout, closeStreamsMs: 300 }, from: live, to: legacy })
    world.wind(300)
    expect(opened.map(({ told }) => [told.leftAt, told.cutAt])).toEqual([
      [0, 150],
      [75, 225],
    ])
  })

  test('a time of months is no timer that fires at once', () => {
    const world = createWorld()
    const opened = openMany(world, 2)
    const ninetyDaysMs = 90 * 86_400_000
    world.streams.turned({ rollout: { ...rollout, closeStreamsMs: ninetyDaysMs }, from: live, to: legacy })
    world.wind(2_000)
    expect(world.waiting()).toBe(1)
    expect(world.scheduled()).toBe(2)
    world.wind(ninetyDaysMs / 2)
    expect(opened[1]?.told.leftAt).toBe((ninetyDaysMs - 2_000) / 2)
  })

  test('those whose client stays are left alone, and so are those of other rollouts', () => {
    const world = createWorld()
    const staying = openTunnel(world, () => false)
    const leaving = openTunnel(world)
    world.streams.turned({ rollout: rolloutOf('y'), from: live, to: legacy })
    world.wind(60_000)
    expect(leaving.told).toEqual({})
    world.streams.turned({ rollout, from: live, to: half })
    world.wind(60_000)
    expect([staying.told.leftAt, leaving.told.leftAt]).toEqual([undefined, 60_000])
  })

  test('whoever belongs to the new side again before his time is not ended', () => {
    const world = createWorld()
    let isBack = true
    const opened = openMany(world, 2, () => isBack)
    world.streams.turned({ rollout, from: live, to: legacy })
    isBack = false
    world.streams.turned({ rollout, from: legacy, to: live })
    world.wind(60_000)
    expect(opened.map(({ told }) => told.leftAt)).toEqual([0, undefined])
    expect(world.streams.count('x')).toEqual({ open: 1, ended: 1 })
  })

  test('whoever has said goodbye in time is not cut', () => {
    const world = createWorld()
    const { told, answer } = openTunnel(world)
    world.streams.turned({ rollout, from: live, to: legacy })
    answer.settle({ how: 'complete', bodyBytes: 0, at: 0 })
    world.wind(60_000)
    expect(told).toEqual({ leftAt: 0 })
  })

  test('what was asked for before and comes after it is ended too, once the door listens', () => {
    const world = createWorld()
    world.stall(10)
    world.streams.turned({ rollout, from: live, to: legacy })
    world.stall(10)
    const [before, after] = [openTunnel(world, undefined, 5), openTunnel(world, undefined, 15)]
    world.wind(60_000)
    expect([before.told, after.told]).toEqual([{ leftAt: 20, cutAt: 2_020 }, {}])
  })
})

test.each([
  ['forward', half, live, undefined],
  ['nowhere, and only its reason is another one', legacy, { ...legacy, why: 'file' } as const, undefined],
  ['nowhere, but the glass is broken, which sends testers back', legacy, { ...legacy, why: 'breakGlass' } as const, 0],
  ['to a smaller share', live, half, 0],
])('a move that goes %s', (_, from, to, leftAt) => {
  const world = createWorld()
  const { told } = openTunnel(world)
  world.streams.turned({ rollout, from, to })
  world.wind(60_000)
  expect(told.leftAt).toBe(leftAt)
})

describe('what is followed', () => {
  const eventStream = ['Content-Type', 'Text/Event-Stream; charset=utf-8']

  test.each([
    ['an event stream', eventStream, true],
    ['a download', ['Content-Type', 'application/zip'], false],
    ['what declares its length', [...eventStream, 'Content-Length', '8'], false],
  ])('%s', (_, fields, isFollowed) => {
    const { streams } = createWorld()
    const answer = made({ fields, body: new PassThrough() })
    const held = streams.hold({ answer, rollout, receivedAt: 0, isAbandoned: () => true })
    expect(held.body !== answer.body).toBe(isFollowed)
    expect(streams.count('x').open).toBe(isFollowed ? 1 : 0)
  })

  test('an event stream that is ended is complete, whatever its source says of it', async () => {
    const world = createWorld()
    const body = new PassThrough()
    const answer = made({ fields: eventStream, body })
    // As an attempt does whose reader has gone.
    body.once('close', () => answer.settle({ how: 'clientGone', bodyBytes: 0, at: 0 }))
    const ends: unknown[] = []
    answer.onEnd((end) => ends.push(end))
    const held = world.streams.hold({ answer, rollout, receivedAt: 1, isAbandoned: () => true })
    if (held.body instanceof Readable) held.body.resume()
    body.write('data: a\n\n')
    await new Promise((resolve) => setImmediate(resolve))
    world.streams.turned({ rollout, from: live, to: legacy })
    await new Promise((resolve) => body.once('close', resolve))
    expect(ends).toEqual([{ how: 'complete', bodyBytes: 9, at: 0 }])
  })
})

test('of ten thousand that were opened and have ended, one way or another, nothing is kept', () => {
  const world = createWorld()
  for (let nth = 0; nth < 10_000; nth += 1) {
    const { answer } = openTunnel(world)
    if (nth % 2 === 0) answer.settle({ how: 'clientGone', bodyBytes: 0, at: 0 })
    else if (nth % 3 === 0) answer.discard()
  }
  expect(world.streams.count('x').open).toBe(3_333)
  world.streams.turned({ rollout, from: live, to: legacy })
  world.wind(12_000)
  expect(world.streams.count('x')).toEqual({ open: 0, ended: 3_333 })
  expect(world.waiting()).toBe(0)
})
