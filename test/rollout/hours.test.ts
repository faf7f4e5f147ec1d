// Hours of the week in which a rollout may go on, through changes of the clocks.
import { describe, expect, test } from 'vitest'
import { type Hours, parseHours } from '../../gateway/rollout/hours.ts'

function hours(text: string): Hours {
  const parsed = parseHours(text)
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed
}

const at = (iso: string) => Date.parse(iso)
const iso = (ms: number) => new Date(ms).toISOString()

describe('hours', () => {
  // 2026-01-05 is a Monday.
  test.each([
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-05T08:59:59Z', false],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-05T09:00:00Z', true],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-08T15:59:59Z', true],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-08T16:00:00Z', false],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-09T10:00:00Z', false],
    ['Mon-Thu 09:00-16:00 Europe/Zurich', '2026-01-05T08:00:00Z', true],
    ['Mon-Thu 09:00-16:00 Europe/Zurich', '2026-07-06T07:00:00Z', true],
    ['Mon,Wed 09:00-12:00; Fri 10:00-11:00 UTC', '2026-01-07T11:00:00Z', true],
    ['Mon,Wed 09:00-12:00; Fri 10:00-11:00 UTC', '2026-01-06T11:00:00Z', false],
    ['Mon,Wed 09:00-12:00; Fri 10:00-11:00 UTC', '2026-01-09T10:30:00Z', true],
    ['Sat-Mon 00:00-24:00 UTC', '2026-01-04T23:59:00Z', true],
    ['Sat-Mon 00:00-24:00 UTC', '2026-01-06T00:00:00Z', false],
    ['Sun 22:00-04:00 UTC', '2026-01-05T03:59:00Z', true],
    ['Sun 22:00-04:00 UTC', '2026-01-05T04:00:00Z', false],
    ['sun 22:00 - 04:00 UTC', '2026-01-04T21:00:00Z', false],
  ])('%s are at %s open: %s', (text, time, isOpen) => {
    expect(hours(text).isOpen(at(time))).toBe(isOpen)
  })

  test.each([
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-08T16:00:00Z', '2026-01-12T09:00:00Z'],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-08T08:59:30.500Z', '2026-01-08T09:00:00Z'],
    ['Mon-Thu 09:00-16:00 UTC', '2026-01-08T12:00:00.123Z', '2026-01-08T12:00:00.123Z'],
    // The clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
    ['Sun 09:00-10:00 Europe/Zurich', '2026-03-28T19:00:00Z', '2026-03-29T07:00:00Z'],
    ['Sun 09:00-10:00 Europe/Zurich', '2026-10-24T18:00:00Z', '2026-10-25T08:00:00Z'],
    // An hour that this night does not have: a week later.
    ['Sun 02:00-03:00 Europe/Zurich', '2026-03-28T12:00:00Z', '2026-04-05T00:00:00Z'],
    ['Sun 02:30-04:00 Europe/Zurich', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
  ])('%s open after %s at %s', (text, time, opens) => {
    expect(iso(hours(text).opensAt(at(time)))).toBe(iso(at(opens)))
  })

  test('without a zone are those of the process', () => {
    const noon = new Date(2026, 0, 5, 12, 0).getTime()
    expect(hours('Mon 12:00-12:01').isOpen(noon)).toBe(true)
    expect(hours('Mon 12:00-12:01').isOpen(noon - 1)).toBe(false)
  })

  test.each([
    ['', 'names no days and hours'],
    ['09:00-16:00', 'names no days and hours'],
    ['Mon-Thu', 'names no days and hours'],
    ['Mon-Thu 9-16', 'names no days and hours'],
    ['Mon 09:00-16:00;', 'names no days and hours'],
    ['Mon-Foo 09:00-16:00', '"mon-foo" names no days'],
    ['Mon-Tue-Wed 09:00-16:00', 'names no days'],
    ['Mon 09:00-25:00', 'a time that no clock shows'],
    ['Mon 09:60-10:00', 'a time that no clock shows'],
    ['Mon 24:00-01:00', 'a time that no clock shows'],
    ['Mon 09:00-09:00', 'begins when it ends'],
    ['Mon 09:00-16:00 Mars/Olympus', '"Mars/Olympus" is no time zone'],
  ])('"%s" is a problem: %s', (text, problem) => {
    const parsed = parseHours(text)
    expect('problem' in parsed && parsed.problem).toContain(problem)
  })
})
