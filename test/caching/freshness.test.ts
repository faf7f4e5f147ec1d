// For how long an answer is fresh, how old it is, and what may be done with it: RFC 9111 §4.2, §5.2, RFC 5861.
import { describe, expect, test } from 'vitest'
import { currentAgeMs, lifetimeMs } from '../../gateway/caching/freshness.ts'
import { httpDateMs } from '../../gateway/caching/httpDate.ts'
import { date, epoch, judged, silent, stored } from './world.ts'

const control = (value: string) => `Cache-Control: ${value}`

/** Seconds; undefined: the origin says nothing. */
const lifetimes: readonly (readonly [about: string, answered: readonly string[], seconds: number | undefined])[] = [
  ['nothing', [], undefined],
  ['max-age', [control('max-age=100')], 100],
  ['in any case (§5.2)', [control('MaX-aGe=100')], 100],
  ['s-maxage before max-age (§5.2.2.10)', [control('max-age=1, s-maxage=100')], 100],
  ['s-maxage before max-age, also when it is less', [control('s-maxage=1, max-age=100')], 1],
  ['max-age before Expires (§5.3)', [control('max-age=100'), `Date: ${date(0)}`, `Expires: ${date(5)}`], 100],
  ['Expires by the Date of the answer', [`Date: ${date(-10)}`, `Expires: ${date(20)}`], 30],
  ['Expires without a Date', [`Expires: ${date(20)}`], 20],
  ['Expires: 0 (§5.3)', ['Expires: 0'], 0],
  ['Expires: -1', ['Expires: -1'], 0],
  ['Expires in the past', [`Expires: ${date(-20)}`], 0],
  ['Expires in local time', ['Expires: Sat, 21 Nov 2026 12:00:30 CET'], 0],
  ['Expires in another form of today', ['Expires: 2026-11-21T12:00:30Z'], 0],
  ['two Expires', [`Expires: ${date(20)}`, `Expires: ${date(30)}`], 0],
  ['in quotes (§5.2)', [control('max-age="100"')], 100],
  ['in single quotes', [control("max-age='100'")], 0],
  ['negative', [control('max-age=-100')], 0],
  ['with a point', [control('max-age=100.5')], 0],
  ['with a letter', [control('max-age=a100')], 0],
  ['without a value', [control('max-age')], 0],
  ['with leading zeros', [control('max-age=003600')], 3600],
  ['with a space before =', [control('max-age =100')], 0],
  ['with a space behind =', [control('max-age= 100')], 0],
  ['of more seconds than a number holds (§1.2.2)', [control('max-age=99999999999999999999')], 2 ** 31],
  ['twice (§4.2.1)', [control('max-age=100, max-age=1')], 1],
  ['twice, in two fields', [control('max-age=100'), control('max-age=1')], 1],
  ['once sound and once not', [control('max-age=100, max-age=x')], 0],
  ['within the quotes of another', [control('x="a, max-age=100, b"')], undefined],
  ['behind quotes with an escape', [control('x="\\", max-age=1", max-age=100')], 100],
  ['behind quotes without an end', [control('x="y, max-age=100')], 0],
  ['behind a semicolon', [control('public; max-age=100')], 0],
  ['among empty members', [control(',, max-age=100 ,')], 100],
  ['of another name', [control('x-max-age=100')], undefined],
]

describe('the lifetime that an origin gives', () => {
  test.each(lifetimes)('%s', (_, answered, seconds) => {
    expect(stored({ answered }).policy.lifetimeMs).toBe(seconds === undefined ? undefined : seconds * 1000)
  })
})

describe('where the origin is silent', () => {
  const rules = { ...silent, freshMs: 30_000, negativeMs: new Map([[404, 5_000]]) }
  const of = (given: Parameters<typeof stored>[0], more = {}) => lifetimeMs(stored(given), { ...rules, ...more })

  test('the route speaks, and nowhere else', () => {
    expect(of({})).toBe(30_000)
    expect(of({ answered: [control('public')] })).toBe(30_000)
    expect(of({ answered: [control('must-revalidate')] })).toBe(30_000)
    for (const said of [
      control('max-age=0'),
      'Expires: 0',
      control('no-cache'),
      control('no-cache="set-cookie"'),
      'Pragma: no-cache',
    ])
      expect(of({ answered: [said] }), said).toBe(0)
  })

  test('of statuses that last (RFC 9110 §15.1); of an error for as long as it is listed', () => {
    for (const status of [200, 203, 204, 300, 301, 308]) expect(of({ status })).toBe(30_000)
    for (const status of [201, 302, 307, 400, 401, 403, 410]) expect(of({ status })).toBe(0)
    expect(of({ status: 404 })).toBe(5_000)
    expect(of({ status: 404, answered: [control('max-age=60')] })).toBe(60_000)
  })

  test('nobody guesses unless the route asks (§4.2.2); then at most a day', () => {
    const old = { answered: [`Date: ${date(0)}`, `Last-Modified: ${date(-1000)}`] }
    expect(lifetimeMs(stored(old), silent)).toBe(0)
    expect(of(old, { heuristicShare: 0.1 })).toBe(100_000)
    expect(of({}, { heuristicShare: 0.1 })).toBe(30_000)
    expect(of({ answered: [`Date: ${date(0)}`, `Last-Modified: ${date(-1e8)}`] }, { heuristicShare: 0.1 })).toBe(
      86_400_000,
    )
  })
})

/** Seconds when it came. */
const ages: readonly (readonly [about: string, answered: readonly string[], delayMs: number, seconds: number])[] = [
  ['of one that says nothing', [], 0, 0],
  ['by its Age', ['Age: 10'], 0, 10],
  ['by its Date (apparent age)', [`Date: ${date(-20)}`], 0, 20],
  ['by the greater of both', [`Date: ${date(-20)}`, 'Age: 30'], 0, 30],
  ['with the delay of the answer', ['Age: 10'], 2000, 12],
  ['of a Date that is ahead', [`Date: ${date(50)}`], 0, 0],
  ['of a Date that is none', ['Date: yesterday'], 0, 0],
  ['by the first of several (§5.1)', ['Age: 10, 20'], 0, 10],
  ['by the first of several fields', ['Age: 10', 'Age: 20'], 0, 10],
  ['of an Age that is none, which is ignored', ['Age: -5'], 0, 0],
  ['of an Age with a point', ['Age: 7.5'], 0, 0],
  ['of an Age without an end', ['Age: 99999999999'], 0, 2 ** 31],
]

describe('the age of an answer (§4.2.3)', () => {
  test.each(ages)('%s', (_, answered, delayMs, seconds) => {
    const one = stored({ answered, delayMs })
    expect(currentAgeMs(one, epoch)).toBe(seconds * 1000)
    expect(currentAgeMs(one, epoch + 5_000)).toBe((seconds + 5) * 1000)
  })

  test('does not turn back with the clock', () => {
    expect(currentAgeMs(stored({ answered: ['Age: 10'] }), epoch - 60_000)).toBe(10_000)
  })
})

type Case = readonly [about: string, said: string, when: readonly [seconds: number, asked: string], use: string]

/** max-age=100 is what `said` is added to. */
const uses: readonly Case[] = [
  ['fresh', '', [99, ''], 'fresh'],
  ['at the end of its life', '', [100, ''], 'validate'],
  ['no-cache of the answer', 'no-cache', [1, ''], 'validate'],
  ['no-cache with fields', 'no-cache="x"', [1, ''], 'validate'],
  ['no-cache of the request (§5.2.1.4)', '', [1, 'no-cache'], 'validate'],
  ['max-age=0 of the request', '', [0, 'max-age=0'], 'validate'],
  ['max-age of the request (§5.2.1.1)', '', [11, 'max-age=10'], 'validate'],
  ['max-age of the request, met', '', [10, 'max-age=10'], 'fresh'],
  ['max-age of the request that cannot be read', '', [10, 'max-age=x'], 'validate'],
  ['min-fresh (§5.2.1.3)', '', [95, 'min-fresh=10'], 'validate'],
  ['min-fresh, met', '', [90, 'min-fresh=10'], 'fresh'],
  ['min-fresh that cannot be read', '', [1, 'min-fresh=x'], 'validate'],
  ['max-stale (§5.2.1.2)', '', [109, 'max-stale=10'], 'stale'],
  ['max-stale, not met', '', [111, 'max-stale=10'], 'validate'],
  ['max-stale of whatever age', '', [9_999, 'max-stale'], 'stale'],
  ['max-stale that cannot be read', '', [101, 'max-stale=x'], 'validate'],
  ['max-stale against must-revalidate (§5.2.2.2)', 'must-revalidate', [101, 'max-stale'], 'validate'],
  ['max-stale against proxy-revalidate (§5.2.2.8)', 'proxy-revalidate', [101, 'max-stale'], 'validate'],
  ['max-stale against s-maxage (§5.2.2.10)', 's-maxage=100', [101, 'max-stale'], 'validate'],
  ['stale-while-revalidate (RFC 5861 §3)', 'stale-while-revalidate=10', [110, ''], 'behind'],
  ['stale-while-revalidate, over', 'stale-while-revalidate=10', [111, ''], 'validate'],
  ['stale-while-revalidate that cannot be read', 'stale-while-revalidate=x', [101, ''], 'validate'],
  ['stale-while-revalidate with must-revalidate', 'stale-while-revalidate=10, must-revalidate', [101, ''], 'validate'],
  ['stale-while-revalidate with s-maxage', 's-maxage=100, stale-while-revalidate=10', [101, ''], 'behind'],
  ['stale-while-revalidate for whoever wants it fresh', 'stale-while-revalidate=10', [101, 'min-fresh=1'], 'validate'],
  ['stale-while-revalidate for whoever reloads', 'stale-while-revalidate=10', [101, 'max-age=0'], 'validate'],
]

describe('what is done with a stored answer', () => {
  test.each(uses)('%s', (_, said, [seconds, asked], use) => {
    const answered = [control(said === '' ? 'max-age=100' : `max-age=100, ${said}`)]
    expect(judged({ answered }, seconds, { asked: asked === '' ? [] : [control(asked)] }).use).toBe(use)
  })

  test('Pragma counts where Cache-Control is silent (§5.4)', () => {
    const answered = [control('max-age=100')]
    expect(judged({ answered }, 1, { asked: ['Pragma: no-cache'] }).use).toBe('validate')
    expect(judged({ answered }, 1, { asked: ['Pragma: no-cache', control('max-age=50')] }).use).toBe('fresh')
  })

  test('the route lets it be stale where the origin says nothing, for as long as the origin says where it does', () => {
    const rules = { staleWhileRevalidateMs: 10_000 }
    const use = (said: string, seconds: number) =>
      judged({ answered: [control(`max-age=100${said}`)] }, seconds, { rules }).use
    expect([use('', 110), use('', 111)]).toEqual(['behind', 'validate'])
    expect([use(', stale-while-revalidate=5', 105), use(', stale-while-revalidate=5', 106)]).toEqual([
      'behind',
      'validate',
    ])
    for (const said of [', must-revalidate', ', proxy-revalidate', ', s-maxage=100', ', no-cache'])
      expect(use(said, 101), said).toBe('validate')
  })

  test('when the origin fails, by the same measure (RFC 5861 §4)', () => {
    const rules = { staleIfErrorMs: 10_000 }
    const isGiven = (said: string, seconds: number, asked: string[] = []) =>
      judged({ answered: [control(`max-age=100${said}`)] }, seconds, { rules, asked }).isForErrors
    expect([isGiven('', 110), isGiven('', 111)]).toEqual([true, false])
    expect([isGiven(', stale-if-error=50', 150), isGiven(', stale-if-error=0', 101)]).toEqual([true, false])
    for (const said of [', must-revalidate', ', proxy-revalidate', ', s-maxage=100', ', no-cache'])
      expect(isGiven(said, 101), said).toBe(false)
    expect(isGiven('', 101, [control('no-cache')])).toBe(false)
    expect(isGiven('', 50, [control('max-age=0')])).toBe(true)
  })
})

describe('a date (RFC 9110 §5.6.7)', () => {
  test.each([
    ['Sat, 21 Nov 2026 12:00:00 GMT', epoch],
    ['Saturday, 21-Nov-26 12:00:00 GMT', epoch],
    ['Sat Nov 21 12:00:00 2026', epoch],
    ['Sun Nov  1 12:00:00 2026', Date.UTC(2026, 10, 1, 12)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Monday, 01-Jan-76 00:00:00 GMT', Date.UTC(2076, 0, 1)],
    ['Monday, 01-Jan-77 00:00:00 GMT', Date.UTC(1977, 0, 1)],
    ['Sat, 21 Nov 2026 12:00:00 UTC', undefined],
    ['Sat, 21 Nov 2026 12:00:00 +0000', undefined],
    ['sat, 21 nov 2026 12:00:00 gmt', undefined],
    ['Sat, 21 Nov 2026 24:00:00 GMT', undefined],
    ['Sat, 00 Nov 2026 12:00:00 GMT', undefined],
    ['Sat, 1 Nov 2026 12:00:00 GMT', undefined],
    ['1795608000', undefined],
    ['', undefined],
  ])('%s', (text, ms) => expect(httpDateMs(text, epoch)).toBe(ms))
})
