// The PROXY protocol: what is one, what is not, and where the client's own bytes begin.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProxyHeader } from '../../gateway/message/proxyHeader.ts'
import { binaryHeader, textHeader } from '../door/proxyHeaders.ts'

const v1 = (text: string) => parseProxyHeader('v1', Buffer.from(text, 'latin1'))
const v2 = (bytes: Buffer) => parseProxyHeader('v2', bytes)

describe('the text form', () => {
  test.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET', '192.0.2.1', 45],
    ['PROXY TCP6 2001:DB8:0:0::1 ::1 1 65535\r\n', '2001:db8::1', 40],
    ['PROXY TCP6 ::ffff:192.0.2.9 ::1 1 2\r\n', '192.0.2.9', 37],
    ['PROXY UNKNOWN\r\n', undefined, 15],
    ['PROXY UNKNOWN whatever it says\r\n', undefined, 32],
  ])('%j', (text, address, bytes) => expect(v1(text)).toEqual({ address, bytes }))

  test.each([
    'GET / HTTP/1.1\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n',
    'PROXY TCP4 192.0.2.1  198.51.100.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n',
    'PROXY TCP4 2001:db8::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}\r\n`,
    binaryHeader('192.0.2.1').toString('latin1'),
  ])('is not %j', (text) => expect(v1(text)).toBe('malformed'))
})

describe('the binary form', () => {
  test.each([
    ['TCP over IPv4', binaryHeader('192.0.2.1'), '192.0.2.1', 28],
    ['TCP over IPv6', binaryHeader('2001:db8::17'), '2001:db8::17', 52],
    [
      'with TLVs behind the addresses',
      binaryHeader('192.0.2.1', { more: Buffer.from('\x04\0\x05hello') }),
      '192.0.2.1',
      36,
    ],
    ['LOCAL, as a health check', binaryHeader('192.0.2.1', { command: 0 }), undefined, 28],
    ['of no known kind', binaryHeader('192.0.2.1', { kind: 0 }), undefined, 28],
    ['of a UNIX socket', binaryHeader('192.0.2.1', { kind: 0x31, more: Buffer.alloc(204) }), undefined, 232],
  ])('%s', (_, bytes, address, length) =>
    expect(v2(Buffer.concat([bytes, Buffer.from('GET')]))).toEqual({ address, bytes: length }),
  )

  test.each([
    ['another signature', Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIX\n', 'latin1'), Buffer.alloc(16)])],
    ['another version', binaryHeader('192.0.2.1', { version: 1 })],
    ['another command', binaryHeader('192.0.2.1', { command: 2 })],
    ['addresses that are cut short', binaryHeader('192.0.2.1', { kind: 0x21 })],
    ['the text form', Buffer.from(textHeader('192.0.2.1'))],
  ])('is not one with %s', (_, bytes) => expect(v2(bytes)).toBe('malformed'))
})

test.each(['v1', 'v2'] as const)(
  'of a header that is not whole (%s) more is waited for, wherever it is cut',
  (version) => {
    const whole = version === 'v1' ? Buffer.from(textHeader('192.0.2.1')) : binaryHeader('2001:db8::1')
    for (let cut = 1; cut < whole.length; cut++) expect(parseProxyHeader(version, whole.subarray(0, cut))).toBe('more')
    expect(parseProxyHeader(version, whole)).toMatchObject({ bytes: whole.length })
  },
)

test('whatever comes, it is judged without a word of what is behind it', () => {
  const begin = fc.constantFrom('PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '')
  fc.assert(
    fc.property(fc.constantFrom('v1', 'v2'), begin, fc.uint8Array({ maxLength: 150 }), (version, start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest])
      const header = parseProxyHeader(version as 'v1', bytes)
      if (typeof header === 'string') return
      expect(parseProxyHeader(version as 'v1', bytes.subarray(0, header.bytes))).toEqual(header)
    }),
  )
})
