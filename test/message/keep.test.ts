import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Copy, keep } from '../../gateway/message/keep.ts'

const bytes = (length: number) => Buffer.alloc(length, 'x')

test('a body that is all there is kept as it is, up to the bound', async () => {
  expect(await keep(undefined, 4)).toBe('none')
  expect(await keep(Buffer.from('four'), 4)).toEqual(Buffer.from('four'))
  expect(await keep(Buffer.from('fives'), 4)).toBe('tooLarge')
})

test('listening in does not set a body flowing: its reader comes when it likes and gets every byte', async () => {
  const body = Readable.from([Buffer.from('one '), Buffer.from('two')])
  const kept = keep(body, 100)
  expect(body.readableFlowing).toBe(null)
  await new Promise((resolve) => setImmediate(resolve))
  expect(body.readableDidRead).toBe(false)
  expect(await buffer(body.pipe(new PassThrough()))).toEqual(Buffer.from('one two'))
  expect(await kept).toEqual(Buffer.from('one two'))
})

test('its reader pauses it at will, and nothing is lost or doubled', async () => {
  const body = new Readable({ read() {} })
  const kept = keep(body, 100)
  const read: string[] = []
  body.on('data', (piece: Buffer) => {
    read.push(String(piece))
    body.pause()
    setImmediate(() => body.resume())
  })
  for (const piece of ['a', 'b', 'c']) body.push(piece)
  body.push(null)
  expect(String(await kept)).toBe('abc')
  expect(read.join('')).toBe('abc')
})

test('a body beyond the bound is let go of at once, and goes on to its reader whole', async () => {
  const body = Readable.from([bytes(60), bytes(60), bytes(60)])
  const kept = keep(body, 100)
  const read = buffer(body.pipe(new PassThrough()))
  expect(await kept).toBe('tooLarge')
  expect((await read).length).toBe(180)
  expect(body.listenerCount('data')).toBe(0)
})

test('a body that breaks off is not kept', async () => {
  const body = new Readable({ read() {} })
  const kept = keep(body, 100)
  body.resume()
  body.push('half')
  body.destroy()
  expect(await kept).toBeUndefined()
  expect(await keep(body, 100)).toBeUndefined()
})

test('a body in a million pieces of one byte costs its bytes, not its pieces', () => {
  const copy = new Copy(1_000_000)
  const piece = bytes(1)
  const before = process.memoryUsage()
  for (let i = 0; i < 1_000_000; i++) copy.add(piece)
  const after = process.memoryUsage()
  expect(copy.kept.length).toBe(1_000_000)
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(16_000_000)
})

test('what was forgotten stays so', () => {
  const copy = new Copy(10)
  copy.add(bytes(3))
  copy.forget()
  copy.add(bytes(3))
  expect(copy.kept).toBe('tooLarge')
})
