// A body on its way into stock, at the pace of its source, of a client, or of both.
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { FillBody, own } from '../../gateway/state/caching/fillBody.ts'

function started(mostBytes = 10) {
  const source = new PassThrough()
  return { source, body: new FillBody(source, mostBytes) }
}

test('what its client reads and what is kept are the same', async () => {
  const { source, body } = started()
  source.write('abc')
  source.end('defghij')
  expect([await text(body), String(await body.filled)]).toEqual(['abcdefghij', 'abcdefghij'])
})

test('it is kept although nobody reads it, or whoever did has left', async () => {
  for (const leave of [() => {}, (body: FillBody) => body.destroy()]) {
    const { source, body } = started()
    source.write('abc')
    leave(body)
    source.end('def')
    expect(String(await body.filled)).toBe('abcdef')
  }
})

test("beyond the bound it is its client's, with all that came before", async () => {
  const { source, body } = started()
  source.write('0123456789')
  source.write('abc')
  expect(await body.filled).toBe('tooLarge')
  source.end('def')
  expect(await text(body)).toBe('0123456789abcdef')
})

test('beyond the bound it goes no faster than its client, and nowhere without him', async () => {
  const { source, body } = started()
  source.write('0123456789a')
  expect(await body.filled).toBe('tooLarge')
  expect(source.isPaused()).toBe(true)
  body.destroy()
  expect(source.destroyed).toBe(true)
  const left = started()
  left.body.destroy()
  left.source.write('0123456789a')
  expect([await left.body.filled, left.source.destroyed]).toEqual(['tooLarge', true])
})

test('one that breaks is broken for whoever reads, and is not kept; with an error or without', async () => {
  for (const error of [new Error('reset'), undefined]) {
    const { source, body } = started()
    source.write('abc')
    source.destroy(error)
    expect(await body.filled).toBe('broken')
    await expect(text(body)).rejects.toThrow()
  }
  const gone = new PassThrough().destroy()
  expect(await new FillBody(gone, 10).filled).toBe('broken')
})

test('a piece of a larger buffer does not keep all of it', () => {
  const large = Buffer.alloc(64 * 1024, 'x')
  const kept = own(large.subarray(0, 10))
  expect([kept.toString(), kept.buffer.byteLength]).toEqual(['xxxxxxxxxx', 10])
  expect(own(large)).toBe(large)
})
