import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Alarm } from '../../gateway/forward/alarm.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** The round of the event loop goes on from its timers: a made-up clock counts a millisecond for it. */
function readSockets(): void {
  vi.advanceTimersByTime(1)
}

test('a limit passes at its time, once', () => {
  const ring = vi.fn()
  new Alarm().set(1_000, ring)
  vi.advanceTimersByTime(999)
  expect(ring).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  readSockets()
  expect(ring).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(5_000)
  readSockets()
  expect(ring).toHaveBeenCalledOnce()
})

test('a limit that is lifted does not pass, and a thousand of them take one timer', () => {
  const alarm = new Alarm()
  const ring = vi.fn()
  for (let i = 0; i < 1_000; i += 1) {
    alarm.set(1_000, ring)
    alarm.lift()
  }
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect(ring).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test('a limit that is put off passes at its new time', () => {
  const alarm = new Alarm()
  const ring = vi.fn()
  alarm.set(1_000, ring)
  vi.advanceTimersByTime(600)
  alarm.set(1_000, ring)
  vi.advanceTimersByTime(999)
  expect(ring).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  readSockets()
  expect(ring).toHaveBeenCalledOnce()
})

test('a nearer limit in place of a far one passes at its own time', () => {
  const alarm = new Alarm()
  const far = vi.fn()
  const near = vi.fn()
  alarm.set(30_000, far)
  alarm.set(100, near)
  vi.advanceTimersByTime(100)
  readSockets()
  expect(near).toHaveBeenCalledOnce()
  vi.advanceTimersByTime(60_000)
  expect(far).not.toHaveBeenCalled()
})

test('an alarm that has ended leaves no timer, and may be set again', () => {
  const alarm = new Alarm()
  const ring = vi.fn()
  alarm.set(1_000, ring)
  alarm.end()
  expect(vi.getTimerCount()).toBe(0)
  alarm.set(1_000, ring)
  vi.advanceTimersByTime(1_000)
  readSockets()
  expect(ring).toHaveBeenCalledOnce()
})

test('what came while the process stood still is read before a limit passes', async () => {
  vi.useRealTimers()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [Socket]
  const ring = vi.fn()
  const alarm = new Alarm()
  const read = new Promise<number>((resolve) => {
    far.once('data', () => {
      alarm.lift()
      resolve(ring.mock.calls.length)
    })
  })
  await once(near, 'connect')

  near.write('x')
  alarm.set(20, ring)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60)

  expect(await read).toBe(0)
  near.destroy()
  server.close()
})
