import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { EventBody } from '../../gateway/message/eventStream.ts'

function open() {
  const source = new PassThrough()
  const ended: number[] = []
  const body = new EventBody(source, (bodyBytes) => ended.push(bodyBytes))
  let text = ''
  body.on('data', (piece: Buffer) => {
    text += piece.toString('latin1')
  })
  /** Has passed that on, as far as it passes it on. */
  const send = async (piece: string) => {
    source.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { source, body, ended, send, text: () => text }
}

test.each([
  ['nothing', []],
  ['LF', ['data: a\n\n']],
  ['CRLF', ['data: a\r\n\r\n']],
  ['LF and CRLF', ['data: a\n\r\n']],
  ['an event in single bytes', [...'data: a\r\n\r\n']],
  ['a comment', ['data: a\n\n: so far\n', '\n']],
])('after whole events (%s) it ends at once, and completely', async (_, pieces) => {
  const { body, send, text, ended, source } = open()
  for (const piece of pieces) await send(piece)
  body.leave()
  await once(body, 'end')
  expect(text()).toBe(pieces.join(''))
  expect(ended).toEqual([pieces.join('').length])
  expect(source.destroyed).toBe(true)
})

test.each([
  ['in a line', ['data: a'], ['bc\n\ndata'], 'bc\n\n'],
  ['in a line, one byte at a time', ['data: a'], ['b', '\r', '\n', '\r', '\n', 'd'], 'b\r\n\r\n'],
  ['after a line', ['data: a\n'], ['\ndata'], '\n'],
  ['after a line, with two more events behind it', ['data: a\r\n'], ['data: b\r\n\r\nid: 1\n\n'], 'data: b\r\n\r\n'],
  ['in the middle of a blank line', ['data: a\r\n\r'], ['\ndata'], '\n'],
  ['after a CR that may be half of a CRLF', ['data: a\r\r'], ['data'], ''],
  ['after a line, in lines that end with CR', ['data: a\r'], ['data: b\r\rdata: c'], 'data: b\r\r'],
  ['after an event and a field', ['data: a\n\nid: 1\n'], ['data: b\n\n\n'], 'data: b\n\n'],
])('asked to leave %s, it ends after that event', async (_, before, after, passed) => {
  const { body, send, text, ended } = open()
  for (const piece of before) await send(piece)
  body.leave()
  expect(ended).toEqual([])
  for (const piece of after) await send(piece)
  expect(body.readableEnded).toBe(true)
  expect(text()).toBe(before.join('') + passed)
  expect(ended).toEqual([text().length])
})

test('cut, it ends where it is, and nothing comes behind', async () => {
  const { body, send, text, ended } = open()
  await send('data: a')
  body.leave()
  body.cut()
  await send('b\n\n')
  expect(text()).toBe('data: a')
  body.cut()
  expect(ended).toEqual([7])
  expect(body.errored).toBe(null)
})

test('a reader who is slow gets all that was passed on, and then the end', async () => {
  const source = new PassThrough()
  const body = new EventBody(source, () => {})
  const event = `data: ${'x'.repeat(100_000)}\n\n`
  source.write(event)
  source.write(event)
  body.once('readable', () => {})
  await once(body, 'readable')
  // The second one waits at its source: nobody has read the first.
  expect(source.isPaused()).toBe(true)
  body.leave()
  let bytes = 0
  body.on('data', (piece: Buffer) => {
    bytes += piece.length
  })
  await once(body, 'end')
  expect(bytes % event.length).toBe(0)
  expect(bytes).toBeGreaterThan(0)
})

test('the end, the break and the reader that leaves pass through as ever', async () => {
  const whole = open()
  whole.source.end('data: a\n\n')
  await once(whole.body, 'end')
  whole.body.cut()
  expect([whole.text(), whole.ended]).toEqual(['data: a\n\n', []])

  const broken = open()
  broken.source.destroy(new Error('gone'))
  await new Promise((resolve) => broken.body.once('close', resolve))
  expect(broken.body.errored?.message).toBe('gone')
  broken.body.cut()
  expect(broken.ended).toEqual([])

  const left = open()
  left.body.destroy()
  await once(left.source, 'close')
  expect(left.source.destroyed).toBe(true)

  const late = Readable.from([])
  late.destroy()
  expect(new EventBody(late, () => {}).destroyed).toBe(true)
})
