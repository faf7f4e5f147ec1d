// Asking after what is stored, and what a 304 changes of it (RFC 9111 §4.3); what a write makes void (§4.4); keys (§2, §4).
import { describe, expect, test } from 'vitest'
import { isForCache } from '../../gateway/caching/eligible.ts'
import { lifetimeMs } from '../../gateway/caching/freshness.ts'
import { placeOf, urisMadeVoid } from '../../gateway/caching/place.ts'
import { fieldsToFill, freshen } from '../../gateway/caching/validation.ts'
import type { Exchange } from '../../gateway/model.ts'
import { date, epoch, fields, silent, stored } from './world.ts'

const conditions = [
  'If-None-Match: "theirs"',
  `If-Modified-Since: ${date(0)}`,
  'Range: bytes=0-1',
  'If-Range: "theirs"',
]

describe('the request that goes on', () => {
  test('asks for a whole, without the conditions of the client', () => {
    expect(fieldsToFill(fields('Host: a', ...conditions, 'Accept: x'), undefined).raw).toEqual([
      'Host',
      'a',
      'Accept',
      'x',
    ])
  })

  test('asks by our own validators, both of them (§4.3.1)', () => {
    const ours = stored({ answered: ['ETag: W/"ours"', `Last-Modified: ${date(-60)}`] })
    expect(fieldsToFill(fields('Host: a', ...conditions), ours).raw).toEqual([
      'Host',
      'a',
      'If-None-Match',
      'W/"ours"',
      'If-Modified-Since',
      date(-60),
    ])
    expect(fieldsToFill(fields('Host: a'), stored({ answered: ['ETag: ours', 'Last-Modified: 0'] })).raw).toEqual([
      'Host',
      'a',
    ])
  })
})

describe('a 304', () => {
  const old = stored({
    answered: [
      'ETag: "a"',
      'Cache-Control: max-age=1',
      'Age: 50',
      'X-Old: 1',
      'Content-Type: text/plain',
      'X-Both: old',
    ],
  })
  const times = { requestedAtMs: epoch + 60_000, receivedAtMs: epoch + 60_000 }

  test('makes it fresh, and its fields take the place of the stored ones (§3.2)', () => {
    const fresh = freshen(old, fields('ETag: "a"', 'cache-control: max-age=100', 'X-Both: new', 'X-Both: newer'), times)
    expect(fresh && lifetimeMs(fresh, silent)).toBe(100_000)
    expect(fresh?.policy.initialAgeMs).toBe(0)
    const lines = ['X-Old', '1', 'Content-Type', 'text/plain', 'Content-Length', '4', 'ETag', '"a"']
    const news = ['cache-control', 'max-age=100', 'X-Both', 'new', 'X-Both', 'newer', 'Date', date(60)]
    expect(fresh?.fields.raw).toEqual([...lines, ...news])
    expect(fresh?.body).toBe(old.body)
  })

  test('does not change what describes the body, and brings no cookie', () => {
    const fresh = freshen(
      old,
      fields('Content-Type: text/html', 'Content-Length: 0', 'Content-Encoding: gzip', 'Set-Cookie: a=b'),
      times,
    )
    expect(fresh?.fields.get('content-type')).toBe('text/plain')
    expect(fresh?.fields.get('content-length')).toBe('4')
    expect(['content-encoding', 'set-cookie'].filter((name) => fresh?.fields.has(name))).toEqual([])
  })

  test('without a Date is of now, however old the stored one is', () => {
    const dated = stored({ answered: ['ETag: "a"', 'Cache-Control: max-age=30', `Date: ${date(0)}`] })
    expect(freshen(dated, fields('ETag: "a"'), times)?.policy.initialAgeMs).toBe(0)
    expect(freshen(dated, fields('ETag: "a"', `Date: ${date(50)}`), times)?.policy.initialAgeMs).toBe(10_000)
  })

  test('about something else changes nothing (§4.3.4)', () => {
    expect(freshen(old, fields('ETag: "b"'), times)).toBeUndefined()
    expect(freshen(old, fields('ETag: W/"a"'), times)).toBeDefined()
    expect(freshen(old, fields(), times)).toBeDefined()
  })

  test('that forbids storing is heard', () => {
    expect(freshen(old, fields('Cache-Control: private'), times)?.policy.forbidsStoring).toBe(true)
  })
})

function exchange(target: string, more: readonly string[] = [], how: object = {}): Exchange {
  const client = { address: '10.0.0.1', peer: '10.0.0.1', peerTrusted: false, tls: false }
  const upstream = { name: 'monolith', target: { origin: 'http://127.0.0.1:4000' } }
  const path = target.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*$/, '')
  const asked = { method: 'GET', role: 'primary', target, path, fields: fields('Host: shop.example', ...more) }
  return { ...asked, client, upstream, route: { name: 'r' }, ...how } as unknown as Exchange
}

describe('what a write makes void', () => {
  const uris = (target: string, ...answered: string[]) =>
    urisMadeVoid(exchange(target, [], { method: 'POST' }), fields(...answered))

  test('is what it was sent to, and what it names of the same site (§4.4)', () => {
    expect(uris('/a?b=1')).toEqual(['shop.example/a?b=1'])
    expect(uris('/a/b', 'Location: ../c?d', 'Content-Location: /e')).toEqual([
      'shop.example/a/b',
      'shop.example/c?d',
      'shop.example/e',
    ])
    expect(uris('/a', 'Location: https://SHOP.example:443/c')).toEqual(['shop.example/a', 'shop.example/c'])
    expect(uris('http://shop.example/a')).toEqual(['shop.example/a'])
  })

  test('is nothing of another site', () => {
    for (const location of [
      'https://other.example/c',
      '//other.example/c',
      'https://shop.example.evil/c',
      'http://shop.example:8080/c',
      'javascript:x',
      'http://[',
    ])
      expect(uris('/a', `Location: ${location}`), location).toEqual(['shop.example/a'])
  })

  test('is what answers of either side are kept for', () => {
    const audience = { isKnown: false, partition: '' }
    expect(placeOf(exchange('/a?b=1'), audience, silent)?.uri).toBe(uris('/a?b=1')[0])
  })
})

describe('the key', () => {
  const anybody = { isKnown: false, partition: '' }
  const keyOf = (target: string, more: readonly string[] = [], how: object = {}) =>
    placeOf(exchange(target, more, how), anybody, silent)?.key
  const trusted = { client: { peerTrusted: true, tls: false } }

  test('is the same for the same URI, however its host is written', () => {
    const key = keyOf('/a?b')
    expect(keyOf('http://shop.example/a?b', [], { fields: fields('Host: other') })).toBe(key)
    expect(keyOf('/a?b', [], { fields: fields('host: SHOP.example:80') })).toBe(key)
    expect(keyOf('/a?b', ['Accept: x', 'X-Forwarded-For: 1.2.3.4'])).toBe(key)
    expect(keyOf('/a?b', ['Forwarded: for=1.2.3.4'], trusted)).toBe(keyOf('/a?b', ['Forwarded: for=5.6.7.8'], trusted))
  })

  test('differs by all that an upstream may tell apart', () => {
    const keys = [
      keyOf('/a?b'),
      keyOf('/a?B'),
      keyOf('/a'),
      keyOf('/A?b'),
      keyOf('/a?b', [], { fields: fields('Host: other.example') }),
      keyOf('/a?b', [], { fields: fields('Host: shop.example:8080') }),
      keyOf('/a?b', [], { client: { peerTrusted: false, tls: true } }),
      keyOf('/a?b', [], { route: { name: 's' } }),
      keyOf('/a?b', [], { upstream: { name: 'search', target: { origin: 'http://127.0.0.1:4000' } } }),
      keyOf('/a?b', [], { upstream: { name: 'monolith', target: { origin: 'http://127.0.0.1:4001' } } }),
      keyOf('/a?b', ['X-Forwarded-Proto: https']),
      keyOf('/a?b', ['X-Forwarded-Host: evil.example']),
      keyOf('/a?b', ['X-Original-URL: /admin']),
      keyOf('/a?b', ['Forwarded: for=1.2.3.4;proto=https;host="evil"'], trusted),
      placeOf(exchange('/a?b'), { isKnown: false, partition: 'x' }, silent)?.key,
      placeOf(exchange('/a?b'), anybody, { ...silent, isPerIdentity: true })?.key,
      placeOf(exchange('/a?b'), anybody, { ...silent, sessionCookie: 'S' })?.key,
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('is short, however long the target is, and another one for each target', () => {
    const long = `/a?${'b'.repeat(60_000)}`
    const keys = ['1', '2'].map((end) => keyOf(long + end) ?? '')
    expect(keys.every(({ length }) => length < 1_000)).toBe(true)
    expect(new Set(keys).size).toBe(2)
    expect(keyOf(`${long}1`)).toBe(keys[0])
  })

  test('is none of what is no URI of the site', () => {
    for (const target of ['*', 'shop.example:443', 'http://user@shop.example/', 'ftp://shop.example/'])
      expect(keyOf(target)).toBeUndefined()
  })
})

test('the cache concerns itself with reads of the client alone, and with none that asks for more than it can say', () => {
  expect(isForCache(exchange('/a'))).toBe(true)
  expect(isForCache(exchange('/a', conditions, { method: 'HEAD' }))).toBe(true)
  for (const how of [
    { method: 'POST' },
    { method: 'OPTIONS' },
    { role: 'shadow' },
    { role: 'retry' },
    { body: Buffer.from('x') },
    { upgrade: 'websocket' },
  ])
    expect(isForCache(exchange('/a', [], how)), JSON.stringify(how)).toBe(false)
  for (const line of [
    'If-Match: "a"',
    'If-Unmodified-Since: x',
    'Expect: 100-continue',
    'X-HTTP-Method-Override: DELETE',
  ])
    expect(isForCache(exchange('/a', [line])), line).toBe(false)
})
