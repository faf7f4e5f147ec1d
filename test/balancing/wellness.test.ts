// Down after so many failed checks in a row, up after so many good ones.
import { expect, test } from 'vitest'
import { afterCheck, isGoodStatus, presumed } from '../../gateway/balancing/wellness.ts'

const thresholds = { unhealthy: 3, healthy: 2 }

/** `f` failed, `.` good. @returns `U` up or `D` down after each */
function seen(checks: string): string {
  let wellness = presumed
  return [...checks]
    .map((check) => {
      wellness = afterCheck(wellness, check === '.', thresholds)
      return wellness.isWell ? 'U' : 'D'
    })
    .join('')
}

test.each([
  ['....', 'UUUU'],
  ['ff.ff.', 'UUUUUU'],
  ['fff', 'UUD'],
  ['fff.f.f', 'UUDDDDD'],
  ['fff..', 'UUDDU'],
  ['fff..ff.', 'UUDDUUUU'],
  ['fff..fff', 'UUDDUUUD'],
])('%s: %s', (checks, states) => expect(seen(checks)).toBe(states))

test.each([
  [199, false],
  [200, true],
  [204, true],
  [302, true],
  [399, true],
  [401, false],
  [404, false],
  [429, false],
  [500, false],
  [503, false],
])('%i is good: %s', (status, good) => expect(isGoodStatus(status)).toBe(good))
