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

test('what is refused is counted by its priority', () => {
  const { pressure } = worldOf()
  pressure.refused('unsafe')
  pressure.refused('unsafe')
  pressure.refused('safe')
  expect(pressure.view()).toEqual({ lagMs: 0, shed: { yielding: 0, unsafe: 2, safe: 1 } })
})
