// How late the event loop is, by a clock and timers that a test owns.
import { expect, test } from 'vitest'
import { createPressure } from '../../gateway/state/pressure.ts'

function worldOf() {
  let nowMs = 0
  let due = () => {}
  const schedule = (run: () => void, afterMs: number) => {
    due = () => {
      nowMs += afterMs
      run()
    }
  }
  const pressure = createPressure({ clock: { now: () => nowMs }, schedule })
  return {
    pressure,
    /** The next timer runs so late. */
    lookLate(byMs: number) {
      nowMs += byMs
      due()
    },
  }
}

test('it is behind once it was late three times in a row, by the least of them, and no more once it is in time', () => {
  const { pressure, lookLate } = worldOf()
  const told = [400, 300, 500, 200, 0, 900].map((lateMs) => {
    lookLate(lateMs)
    return pressure.lagMs()
  })
  expect(told).toEqual([0, 0, 300, 200, 0, 0])
})

test('what is refused is so from that lag on, and until it is less than half of it, whoever asks meanwhile', () => {
  const { pressure, lookLate } = worldOf()
  const at = (lateMs: number) => {
    for (let look = 0; look < 3; look++) lookLate(lateMs)
    return [pressure.isBehind('yielding', 100), pressure.isBehind('unsafe', 200)]
  }
  expect([99, 100, 60, 50, 200, 100, 99, 49, 60, 100].map(at)).toEqual([
    [false, false],
    [true, false],
    [true, false],
    [true, false],
    [true, true],
    [true, true],
    [true, false],
    [false, false],
    [false, false],
    [true, false],
  ])
})

test('a lag that has passed while nobody asked is over', () => {
  const { pressure, lookLate } = worldOf()
  for (const lateMs of [100, 100, 100]) lookLate(lateMs)
  expect(pressure.isBehind('safe', 100)).toBe(true)
  for (const lateMs of [0, 0, 0, 80, 80, 80]) lookLate(lateMs)
  expect(pressure.isBehind('safe', 100)).toBe(false)
})

test('what is refused is counted by its priority', () => {
  const { pressure } = worldOf()
  pressure.refused('unsafe')
  pressure.refused('unsafe')
  pressure.refused('safe')
  expect(pressure.view()).toEqual({ lagMs: 0, shed: { yielding: 0, unsafe: 2, safe: 1 } })
})
