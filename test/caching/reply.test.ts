// What is answered from stock: conditions, ranges, heads and ages: RFC 9110 §13, §14, RFC 9111 §4.3.2.
import { describe, expect, test } from 'vitest'
import { withCacheStatus } from '../../gateway/caching/cacheStatus.ts'
import { replyFrom } from '../../gateway/caching/reply.ts'
import { date, epoch, fields, type Given, stored } from './world.ts'

const whole = [
  'ETag: "a"',
  `Date: ${date(0)}`,
  `Last-Modified: ${date(-60)}`,
  'Content-Type: text/plain',
  'Cache-Control: max-age=9',
]

function reply(asked: readonly string[], given: Given = {}, method = 'GET') {
  const {
    status,
    fields: told,
    body,
  } = replyFrom(
    stored({ answered: whole, body: '0123456789', ...given }),
    { method, fields: fields(...asked) },
    epoch + 5_500,
  )
  return { status, told, text: body?.toString() }
}

describe('a condition is answered', () => {
  const conditions: readonly (readonly [about: string, asked: readonly string[], status: number])[] = [
    ['If-None-Match', ['If-None-Match: "a"'], 304],
    ['another tag', ['If-None-Match: "b"'], 200],
    ['one of several', ['If-None-Match: "b", "a"'], 304],
    ['one of several, in two fields', ['If-None-Match: "b"', 'If-None-Match: "a"'], 304],
    ['weakly (RFC 9110 §13.1.2)', ['If-None-Match: W/"a"'], 304],
    ['any', ['If-None-Match: *'], 304],
    ['without quotes', ['If-None-Match: a'], 200],
    ['a list that cannot be read', ['If-None-Match: x, "a"'], 200],
    ['a comma within a tag', ['If-None-Match: "b,"a""'], 200],
    ['If-Modified-Since', [`If-Modified-Since: ${date(-60)}`], 304],
    ['If-Modified-Since, later', [`If-Modified-Since: ${date(-1)}`], 304],
    ['If-Modified-Since, earlier', [`If-Modified-Since: ${date(-61)}`], 200],
    ['If-Modified-Since that is no date', ['If-Modified-Since: yesterday'], 200],
    ['If-Modified-Since twice', [`If-Modified-Since: ${date(-1)}`, `If-Modified-Since: ${date(-1)}`], 200],
    ['If-None-Match before If-Modified-Since (§13.2.2)', ['If-None-Match: "b"', `If-Modified-Since: ${date(-1)}`], 200],
    ['before a range', ['If-None-Match: "a"', 'Range: bytes=0-1'], 304],
  ]

  test.each(conditions)('%s', (_, asked, status) => {
    expect(reply(asked).status).toBe(status)
    expect(reply(asked, {}, 'HEAD').status).toBe(status === 206 ? 200 : status)
  })

  test('by the Date where there is no Last-Modified (RFC 9111 §4.3.2)', () => {
    const given = { answered: [`Date: ${date(-10)}`] }
    expect(reply([`If-Modified-Since: ${date(-10)}`], given).status).toBe(304)
    expect(reply([`If-Modified-Since: ${date(-11)}`], given).status).toBe(200)
  })

  test('a weak tag of ours too, and none without a tag', () => {
    expect(reply(['If-None-Match: "a"'], { answered: ['ETag: W/"a"'] }).status).toBe(304)
    expect(reply(['If-None-Match: "a"'], { answered: [] }).status).toBe(200)
    expect(reply(['If-None-Match: a'], { answered: ['ETag: a'] }).status).toBe(200)
  })

  test('only of what would have been a success (RFC 9110 §13.2.1)', () => {
    expect(reply(['If-None-Match: "a"'], { status: 404 }).status).toBe(404)
    expect(reply(['If-None-Match: "a"'], { status: 301 }).status).toBe(301)
  })

  test('without what describes a body, and with what a cache needs (RFC 9110 §15.4.5)', () => {
    const { told, text } = reply(['If-None-Match: "a"'])
    expect(text).toBeUndefined()
    expect(['content-type', 'content-length'].filter((name) => told.has(name))).toEqual([])
    expect(['etag', 'date', 'cache-control', 'age', 'last-modified'].filter((name) => told.has(name))).toHaveLength(5)
  })
})

describe('a range is answered', () => {
  test.each([
    ['bytes=0-1', 206, '01', 'bytes 0-1/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['BYTES=0-0', 206, '0', 'bytes 0-0/10'],
    ['bytes=10-', 416, undefined, 'bytes */10'],
    ['bytes=10-20', 416, undefined, 'bytes */10'],
    ['bytes=-0', 416, undefined, 'bytes */10'],
    ['bytes=5-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['bytes=-', 200, '0123456789', undefined],
    ['bytes=a-b', 200, '0123456789', undefined],
    ['bytes 0-1', 200, '0123456789', undefined],
    ['lines=0-1', 200, '0123456789', undefined],
    ['bytes=0-1x', 200, '0123456789', undefined],
  ] as const)('%s', (...[range, status, text, place]) => {
    const answered = reply([`Range: ${range}`])
    expect([answered.status, answered.text, answered.told.get('content-range')]).toEqual([status, text, place])
    expect(answered.told.get('content-length')).toBe(String(text?.length ?? 0))
    expect(reply([`Range: ${range}`], {}, 'HEAD')).toMatchObject({ status: 200, text: undefined })
  })

  test.each([
    ['by the strong tag', 'If-Range: "a"', 206],
    ['not by another', 'If-Range: "b"', 200],
    ['not by a weak one (RFC 9110 §13.1.5)', 'If-Range: W/"a"', 200],
    ['by the date', `If-Range: ${date(-60)}`, 206],
    ['not by a later one', `If-Range: ${date(-59)}`, 200],
    ['not by what is neither', 'If-Range: a', 200],
  ])('if it is the same: %s', (_, condition, status) =>
    expect(reply(['Range: bytes=0-1', condition]).status).toBe(status),
  )

  test('not by a date within the second in which it was made (RFC 9110 §8.8.2.2)', () => {
    const answered = [`Date: ${date(0)}`, `Last-Modified: ${date(0)}`]
    expect(reply(['Range: bytes=0-1', `If-Range: ${date(0)}`], { answered }).status).toBe(200)
  })

  test('of nothing there is no part, of an error neither, and two are one too many', () => {
    expect(reply(['Range: bytes=0-'], { body: '' }).status).toBe(416)
    expect(reply(['Range: bytes=0-1'], { status: 404 }).status).toBe(404)
    expect(reply(['Range: bytes=0-1', 'Range: bytes=2-3']).status).toBe(200)
  })
})

describe('an answer from stock', () => {
  test('tells its age in place of the one that it came with (RFC 9111 §5.1)', () => {
    expect(reply([], { answered: ['Age: 100', 'Age: 7'] }).told.all('age')).toEqual(['105'])
    expect(reply([]).told.all('age')).toEqual(['5'])
  })

  test('has a date and a length, whatever it came with; a HEAD has no body, and a 204 no length', () => {
    const bare = reply([], { answered: [] })
    expect([bare.told.get('date'), bare.told.get('content-length')]).toEqual([date(0), '10'])
    expect(reply([], {}, 'HEAD')).toMatchObject({ status: 200, text: undefined })
    expect(reply([], {}, 'HEAD').told.get('content-length')).toBe('10')
    expect(reply([], { status: 204, body: '' }).told.has('content-length')).toBe(false)
  })

  test('says what the cache did, behind what others have said (RFC 9211)', () => {
    const before = fields('Cache-Status: origin; hit')
    const member = (told: Parameters<typeof withCacheStatus>[1]) => withCacheStatus(before, told).all('cache-status')[1]
    expect(member({ hit: true, ttlMs: 2_999 })).toBe('banyan; hit; ttl=2')
    expect(member({ hit: true, ttlMs: -500 })).toBe('banyan; hit; ttl=-1')
    expect(member({ fwd: 'uri-miss', isStored: true })).toBe('banyan; fwd=uri-miss; stored')
    expect(member({ fwd: 'stale', fwdStatus: 304, isCollapsed: true })).toBe(
      'banyan; fwd=stale; fwd-status=304; collapsed',
    )
    expect(withCacheStatus(before, { fwd: 'bypass' }).all('cache-status')[0]).toBe('origin; hit')
  })
})
