import { expect, test } from 'vitest'
import { Inlet } from '../../gateway/forward/inlet.ts'

const bufferBytes = 64 * 1024

/** Reads as Node does: into the buffer that it has been given, told at once, the next buffer asked for after that. */
function reader() {
  const inlet = new Inlet()
  const taken: Buffer[] = []
  inlet.take = (bytes) => taken.push(bytes)
  const { onread } = inlet
  let buffer = onread.buffer()
  return {
    taken,
    read(byte: number, length: number) {
      buffer.fill(byte, 0, length)
      onread.callback(length)
      buffer = onread.buffer()
    },
    get buffer() {
      return buffer
    },
  }
}

const said = (taken: readonly Buffer[]) => taken.map((bytes) => [bytes[0], bytes.at(-1), bytes.length])

test('what has been taken stays what it was, whoever reads next', () => {
  const [one, other] = [reader(), reader()]
  const lengths = [1, 100, 5_000, bufferBytes, bufferBytes, bufferBytes, 300, bufferBytes, 1]
  for (const [i, length] of lengths.entries()) {
    one.read(i, length)
    other.read(100 + i, length)
  }
  expect(said(one.taken)).toEqual(lengths.map((length, i) => [i, i, length]))
  expect(said(other.taken)).toEqual(lengths.map((length, i) => [100 + i, 100 + i, length]))
})

test('a connection at rest has no buffer of its own', () => {
  const [one, other] = [reader(), reader()]
  one.read(1, bufferBytes)
  expect(one.buffer).not.toBe(other.buffer)
  one.read(2, 10)
  expect(one.buffer).toBe(other.buffer)
})

test('a piece holds no more memory than it is long', () => {
  const { taken, read } = reader()
  for (let i = 0; i < 20; i += 1) read(i, i % 3 === 0 ? bufferBytes : 9_000)
  const held = [...new Set(taken.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
  expect(held).toBe(taken.reduce((sum, { length }) => sum + length, 0))
})

test('of a large body all pieces but the first are handed on without a copy', () => {
  const one = reader()
  one.read(0, bufferBytes)
  const buffers = [1, 2, 3].map((byte) => {
    const { buffer } = one
    one.read(byte, bufferBytes)
    return buffer
  })
  expect(one.taken.slice(1).every((bytes, i) => bytes === buffers[i])).toBe(true)
})
