// The multipart parser and the range reader: pure functions, against any way of cutting a body into chunks.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundaryOf, readMultipart } from '../../legacy-mock/documents/multipart.ts'
import { readRanges } from '../../legacy-mock/documents/ranges.ts'

async function partsOf(chunks: readonly Buffer[], boundary: string): Promise<readonly [string, string][]> {
  const parts: [string, string][] = []
  for await (const event of readMultipart(cut(chunks), boundary)) {
    if (event.kind === 'part') parts.push([event.fields.get('x') ?? '', ''])
    const last = parts.at(-1)
    if (event.kind === 'bytes' && last) last[1] += event.bytes.toString('latin1')
  }
  return parts
}

async function* cut(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks
}

/** The body in chunks that end at these places. */
function chunksAt(body: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [0, ...places.map((place) => place % (body.length + 1)), body.length].sort((a, b) => a - b)
  return sorted.slice(1).map((place, index) => body.subarray(sorted[index], place))
}

describe('multipart', () => {
  // Contents made of what could be mistaken for a boundary; only the whole delimiter is left out.
  const content = fc
    .array(fc.constantFrom('\r\n', '--', '\r\n-', '\r\n--', 'b', 'bo', '\r', '\n', 'x', '\0\xff'), { maxLength: 12 })
    .map((pieces) => pieces.join(''))
    .filter((text) => !`${text}\r\n`.includes('\r\n--bou'))

  test('finds every part whole, wherever the chunks end', async () => {
    const places = fc.array(fc.nat(400), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 4 }), places, async (contents, at) => {
        const parts = contents.map((text, index) => `--bou \t\r\nX: ${index}\r\n\r\n${text}\r\n`)
        const body = Buffer.from(`preamble\r\n${parts.join('')}--bou--\r\nepilogue`, 'latin1')
        const expected = contents.map((text, index) => [String(index), text])
        expect(await partsOf(chunksAt(body, at), 'bou')).toEqual(expected)
      }),
      { seed: 7 },
    )
  })

  test('finds a boundary that opens the body, and a part without fields', async () => {
    expect(await partsOf([Buffer.from('--b\r\n\r\nhello\r\n--b--')], 'b')).toEqual([['', 'hello']])
  })

  test('refuses anything that is cut short', async () => {
    const body = Buffer.from('--b\r\nX: 1\r\n\r\nhello\r\n--b--')
    for (let length = 0; length < body.length; length += 1) {
      await expect(partsOf([body.subarray(0, length)], 'b')).rejects.toMatchObject({ status: 400 })
    }
    expect(await partsOf([body], 'b')).toEqual([['1', 'hello']])
  })

  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data ; charset=utf-8; Boundary="a b:c"', 'a b:c'],
  ])('reads the boundary of %s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary)
  })

  test.each(['multipart/form-data; boundary="ends with a blank "', `multipart/form-data; boundary=${'x'.repeat(71)}`])(
    'refuses the boundary of %s',
    (type) => {
      expect(() => boundaryOf(type)).toThrow(/boundary/)
    },
  )
})

describe('ranges of 100 bytes', () => {
  test.each([
    ['bytes=0-9', [{ first: 0, last: 9 }]],
    ['bytes=90-', [{ first: 90, last: 99 }]],
    ['bytes=-1', [{ first: 99, last: 99 }]],
    ['bytes=-500', [{ first: 0, last: 99 }]],
    ['bytes=50-999', [{ first: 50, last: 99 }]],
    [
      'BYTES=0-0, ,98-99',
      [
        { first: 0, last: 0 },
        { first: 98, last: 99 },
      ],
    ],
    ['bytes=0-0,100-', [{ first: 0, last: 0 }]],
    ['bytes=100-', 'none'],
    ['bytes=-0', 'none'],
    ['bytes=9-1', undefined],
    ['bytes=a-b', undefined],
    ['bytes=-', undefined],
    ['bytes=', undefined],
    ['lines=1-2', undefined],
    ['bytes=0-50,50-60', undefined],
    [`bytes=${Array.from({ length: 17 }, (_, n) => `${n}-${n}`).join(',')}`, undefined],
    [undefined, undefined],
  ])('%s', (field, expected) => {
    expect(readRanges(field, 100)).toEqual(expected)
  })
})
