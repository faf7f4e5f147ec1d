import { expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { endToEnd } from '../../gateway/message/hopByHop.ts'

const passed = (...raw: string[]) => endToEnd(fieldsOf(raw)).raw

test.each([
  [
    'the hop-by-hop fields',
    ['Connection', 'close', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked', 'Upgrade', 'h2c'],
    [],
  ],
  ['proxy credentials', ['Proxy-Authorization', 'Basic x', 'Proxy-Connection', 'keep-alive'], []],
  [
    'a field that Connection names, in any case',
    ['Connection', 'X-Hop, close', 'x-hop', '1', 'X-Kept', '2'],
    ['X-Kept', '2'],
  ],
  ['a field that a second Connection names', ['Connection', 'a', 'Connection', 'B', 'A', '1', 'b', '2'], []],
])('%s are dropped', (_, raw, rest) => {
  expect(passed(...raw)).toEqual(rest)
})

test('Connection cannot drop what addresses and frames the message', () => {
  const raw = ['Connection', 'Host, Content-Length', 'Host', 'a', 'Content-Length', '3']
  expect(passed(...raw)).toEqual(['Host', 'a', 'Content-Length', '3'])
})

test('of TE only trailers passes on', () => {
  expect(passed('TE', 'gzip, trailers;q=0.5')).toEqual([])
  expect(passed('TE', 'gzip, Trailers')).toEqual(['TE', 'trailers'])
})
