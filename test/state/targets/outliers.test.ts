// What each attempt says of its target, and which targets are left alone for it: real answers, under a clock that stands still.
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Exchange, Role, Snapshot, Target, TargetTurn, Upstream } from '../../../gateway/model.ts'
import { createOutliers } from '../../../gateway/state/targets/outliers.ts'
import { overheard } from '../../../gateway/state/targets/overheard.ts'
import { bodyOf, exchangeOf, openWorld, targetAt, upstreamTo } from '../../forward/world.ts'
import { startScriptedOrigin } from '../../harness/origin.ts'

const outliers = { consecutive: 2, ejectMs: 30_000, maxBasisPoints: 1_000 }

function upstreamOf(ports: readonly number[], over: Partial<Upstream> = {}): Upstream {
  return upstreamTo(ports[0] ?? 0, { targets: ports.map((port) => targetAt(port)), outliers, ...over })
}

const at = (upstream: Upstream, i: number) => upstream.targets[i] ?? upstream.target

const snapshotOf = (...upstreams: Upstream[]): Pick<Snapshot, 'upstreams'> => ({
  upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])),
})

function newBook(down: readonly Target[] = []) {
  let ms = 1_000
  const turns: TargetTurn[] = []
  const others = { isUp: ({ origin }: Target) => !down.some((target) => target.origin === origin) }
  const book = createOutliers({ clock: { now: () => ms }, others, turned: (turn) => turns.push(turn) })
  return {
    book,
    turns,
    advance(by: number) {
      ms += by
    },
    /** So many failures of the target at that place. */
    fail(upstream: Upstream, i: number, times = 2) {
      for (let n = 0; n < times; n++) book.heard({ ...upstream, target: at(upstream, i) }, 'failed')
    },
    up: (upstream: Upstream) => upstream.targets.map((target) => book.isUp(target, upstream)),
  }
}

describe('the book of outliers', () => {
  const three = upstreamOf([1, 2, 3])

  test('leaves one alone, says so once, and knows when it came back', () => {
    const { book, turns, fail, up, advance } = newBook()
    book.follow(snapshotOf(three))
    fail(three, 1, 5)
    expect(up(three)).toEqual([true, false, true])
    expect(book.upSince(at(three, 1), three)).toBeUndefined()
    expect(book.viewOf(three, at(three, 1))).toEqual({ ejections: 1, backInMs: 30_000 })
    advance(30_000)
    expect(up(three)).toEqual([true, true, true])
    expect(book.upSince(at(three, 1), three)).toBe(31_000)
    expect(book.upSince(at(three, 0), three)).toBeUndefined()
    expect(turns.map(({ target, to }) => [target, to])).toEqual([['http://127.0.0.1:2', 'ejected']])
  })

  test('does not leave the last one alone that its checks have left', () => {
    const { book, fail, up } = newBook([at(three, 0), at(three, 2)])
    book.follow(snapshotOf(three))
    fail(three, 1, 5)
    expect(up(three)).toEqual([true, true, true])
  })

  test('takes the next one in once the first is back', () => {
    const { book, fail, up, advance } = newBook()
    book.follow(snapshotOf(three))
    fail(three, 0)
    fail(three, 1)
    expect(up(three)).toEqual([false, true, true])
    advance(30_000)
    // Its failures were one after another all the while.
    fail(three, 1, 1)
    expect(up(three)).toEqual([true, false, true])
  })

  test('keeps apart what two upstreams know of one target', () => {
    const other = { ...three, name: 'new' }
    const { book, fail, up } = newBook()
    book.follow(snapshotOf(three, other))
    fail(three, 0)
    expect([up(three), up(other)]).toEqual([
      [false, true, true],
      [true, true, true],
    ])
  })

  test('forgets a target with the file that had it, and nothing else', () => {
    const { book, fail, up } = newBook()
    book.follow(snapshotOf(three))
    fail(three, 0)
    const edited = upstreamOf([1, 2, 3, 4], { outliers: { ...outliers, consecutive: 3 }, idleMs: 1 })
    book.follow(snapshotOf(edited))
    expect(up(edited)).toEqual([false, true, true, true])
    book.follow(snapshotOf(upstreamOf([2, 3, 4])))
    book.follow(snapshotOf(edited))
    expect(up(edited)).toEqual([true, true, true, true])
  })

  test('takes back at once what is more than may be among the targets of a newer file', () => {
    const { book, fail, up } = newBook()
    const max = { outliers: { ...outliers, maxBasisPoints: 5_000 } }
    const six = upstreamOf([1, 2, 3, 4, 5, 6], max)
    book.follow(snapshotOf(six))
    for (const i of [0, 1, 2]) fail(six, i)
    expect(up(six)).toEqual([false, false, false, true, true, true])
    const four = upstreamOf([1, 2, 3, 4], max)
    book.follow(snapshotOf(four))
    expect(up(four)).toEqual([false, false, true, true])
    const two = upstreamOf([1, 4], max)
    book.follow(snapshotOf(two))
    expect(up(two)).toEqual([true, true])
  })

  test('hears nothing more of a target that is gone, or of an upstream that wants no outliers any more', () => {
    const { book, fail, up, turns } = newBook()
    book.follow(snapshotOf(upstreamOf([2, 3, 4])))
    fail(three, 0, 9)
    book.follow(snapshotOf(upstreamTo(1, { targets: three.targets })))
    fail(three, 1, 9)
    expect([up(three), turns]).toEqual([[true, true, true], []])
  })
})

const answers: Record<string, (socket: Socket) => void> = {
  200: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine'),
  later: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', () => setImmediate(() => socket.write('fine')))
  },
  404: (socket) => socket.write('HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnone'),
  500: (socket) => socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops'),
  events: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'),
  reset: (socket) => socket.resetAndDestroy(),
  garbage: (socket) => socket.end('220 mail.example ESMTP\r\n\r\n'),
  midBody: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'),
  hang: () => {},
}

/** Asks once. @returns the words that were heard of it */
async function heardOf(act: string, over: Partial<Exchange> = {}, leave = false): Promise<string[]> {
  const origin = await startScriptedOrigin((socket) => answers[act]?.(socket))
  onTestFinished(() => origin.close())
  const world = openWorld()
  onTestFinished(world.pools.destroy)
  const heard: string[] = []
  const { exchange, leave: leaveNow } = exchangeOf(upstreamOf([origin.port]))
  const forward = overheard(world.forward, { heard: (_, word) => heard.push(word) })
  const answered = forward({ ...exchange, ...over })
  if (leave) leaveNow()
  const answer = await answered.catch(() => undefined)
  if (act === 'events') answer?.discard()
  else if (answer) await bodyOf(answer).catch(() => {})
  return heard
}

describe('what is heard of a target', () => {
  test.each([
    ['200', ['fine']],
    ['later', ['fine']],
    ['404', ['fine']],
    ['500', ['failed']],
    ['events', ['fine']],
    ['reset', ['failed']],
    ['garbage', ['failed']],
    ['midBody', ['failed']],
  ])('%s: %j', async (act, words) => expect(await heardOf(act)).toEqual(words))

  test('nothing of a client that leaves', async () => expect(await heardOf('hang', {}, true)).toEqual([]))

  test.each<[Role, number]>([
    ['primary', 1],
    ['retry', 1],
    ['fallback', 1],
    ['revalidate', 1],
    ['shadow', 0],
    ['noise', 0],
  ])('an attempt as %s counts %i times', async (role, times) =>
    expect(await heardOf('500', { role })).toHaveLength(times),
  )
})
