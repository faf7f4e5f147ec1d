import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf, noFields } from '../../gateway/message/fields.ts'
import { keepAnswer, tap } from '../../gateway/message/tap.ts'
import type { Answer, Body, End, Fields } from '../../gateway/model.ts'

const kibibyte = 1024

function answerWith(body: Body, fields: Fields = noFields): Answer {
  return answerOf({ status: 200, reason: '', fields, body, by: 'upstream' }, () => 7)
}

/** A source that makes pieces as fast as they are asked for, as a socket does, and counts them. */
function endless(piece = Buffer.alloc(16 * kibibyte, 'x')) {
  let made = 0
  const body = new Readable({
    read() {
      made += 1
      setImmediate(() => this.push(piece))
    },
  })
  return { body, made: () => made }
}

const readable = ({ body }: Answer): Readable => {
  if (!(body instanceof Readable)) throw new Error('no stream')
  return body
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('what is kept is what passed', async () => {
  const { answer, kept } = tap(answerWith(Readable.from([Buffer.from('one '), Buffer.from('two')])), 100)
  expect(String(await buffer(readable(answer)))).toBe('one two')
  expect(String(await kept)).toBe('one two')
})

test('a body that is no stream passes as it is', async () => {
  const whole = answerWith(Buffer.from('abc'))
  expect(tap(whole, 3).answer).toBe(whole)
  expect(String(await tap(whole, 3).kept)).toBe('abc')
  expect(await tap(whole, 2).kept).toBe('tooLarge')
  expect(await tap(answerWith(undefined), 2).kept).toBe('none')
})

test('a body beyond the bound passes whole and is told at once', async () => {
  const pieces = Array.from({ length: 10 }, (_, i) => Buffer.alloc(40, i))
  const { answer, kept } = tap(answerWith(Readable.from(pieces)), 100)
  expect(await buffer(readable(answer))).toEqual(Buffer.concat(pieces))
  expect(await kept).toBe('tooLarge')
})

test('nothing is read before the client reads, and no more than it takes', async () => {
  const { body, made } = endless()
  const { answer } = tap(answerWith(body), 256 * kibibyte)
  for (let i = 0; i < 100; i++) await turn()
  // The buffers of the two streams, each with a high-water mark, and a piece over.
  const most = (2 * body.readableHighWaterMark) / (16 * kibibyte) + 4
  expect(made()).toBeLessThanOrEqual(most)
  readable(answer).read(16 * kibibyte)
  for (let i = 0; i < 100; i++) await turn()
  expect(made()).toBeLessThanOrEqual(2 * most)
  readable(answer).destroy()
})

test('a break shows as the same break, and nothing was kept', async () => {
  const source = new Readable({ read() {} })
  const { answer, kept } = tap(answerWith(source), 100)
  const broken = new Promise((resolve) => readable(answer).once('close', resolve))
  readable(answer).resume()
  source.push('half')
  source.destroy(new Error('reset'))
  await broken
  expect(readable(answer).errored?.message).toBe('reset')
  expect(await kept).toBeUndefined()
})

test('a source that broke before it was tapped shows it too', async () => {
  const source = new Readable({ read() {} })
  source.destroy()
  await once(source, 'close')
  const { answer, kept } = tap(answerWith(source), 100)
  expect(readable(answer).destroyed).toBe(true)
  expect(await kept).toBeUndefined()
})

test('a reader that leaves ends the source', async () => {
  const { body } = endless()
  const { answer, kept } = tap(answerWith(body), 100 * kibibyte)
  const ended = once(body, 'close')
  readable(answer).once('data', () => readable(answer).destroy())
  await ended
  expect(await kept).toBeUndefined()
})

test('the body still passes when what is kept is not wanted any more', async () => {
  const source = new Readable({ read() {} })
  const tapped = tap(answerWith(source), 100)
  source.push('before ')
  tapped.forget()
  expect(await tapped.kept).toBeUndefined()
  source.push('after')
  source.push(null)
  expect(String(await buffer(readable(tapped.answer)))).toBe('before after')
})

function ended(answer: Answer): Promise<End> {
  return new Promise((resolve) => {
    answer.onEnd(resolve)
  })
}

test('an answer that goes to nobody is read to its end and settled', async () => {
  const answer = answerWith(Readable.from([Buffer.from('abc')]))
  const end = ended(answer)
  expect(String(await keepAnswer(answer, 10, () => 9))).toBe('abc')
  expect(await end).toEqual({ how: 'complete', bodyBytes: 3, at: 9 })
})

test('of an answer that goes to nobody no more is read than is kept', async () => {
  const { body, made } = endless()
  const answer = answerWith(body)
  const end = ended(answer)
  expect(await keepAnswer(answer, 256 * kibibyte, () => 9)).toBe('tooLarge')
  expect(made()).toBeLessThan(40)
  expect(body.destroyed).toBe(true)
  expect((await end).how).toBe('discarded')
})

test('of an answer in crumbs no more is read than a well-meaning server would cut it into', async () => {
  const { body, made } = endless(Buffer.from('x'))
  expect(await keepAnswer(answerWith(body), 256 * kibibyte, () => 9)).toBe('tooLarge')
  expect(made()).toBeLessThan(9 * kibibyte)
})

test('an answer that breaks off, or was broken before, is not kept', async () => {
  const body = new Readable({ read() {} })
  const answer = answerWith(body)
  const kept = keepAnswer(answer, 10, () => 9)
  body.push('half')
  body.destroy(new Error('reset'))
  expect(await kept).toBeUndefined()
  expect((await ended(answer)).how).toBe('upstreamBroke')
  expect(await keepAnswer(answerWith(body), 10, () => 9)).toBeUndefined()
})

test('a body that says at its head that it is too large is not touched, nor read where it goes to nobody', async () => {
  const fields = fieldsOf(['content-length', '101'])
  const passing = answerWith(endless().body, fields)
  expect(tap(passing, 100).answer).toBe(passing)
  expect(await tap(passing, 100).kept).toBe('tooLarge')
  const { body, made } = endless()
  expect(await keepAnswer(answerWith(body, fields), 100, () => 9)).toBe('tooLarge')
  expect([made(), body.destroyed]).toEqual([0, true])
})
