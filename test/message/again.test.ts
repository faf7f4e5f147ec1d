import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { repeatable } from '../../gateway/message/again.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { keep } from '../../gateway/message/keep.ts'
import type { Body, Exchange } from '../../gateway/model.ts'

const exchangeOf = (body: Body, raw: string[] = []) => ({ body, fields: fieldsOf(raw) }) as Exchange
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Reads as an attempt does, and lets go as a failed one does. */
function readSome(body: Readable, pieces: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let read = ''
  let left = pieces
  const take = (piece: Buffer) => {
    read += piece
    left -= 1
    if (left > 0) return
    body.off('data', take).pause()
    resolve(read)
  }
  body.on('data', take)
  body.resume()
  return promise
}

const rest = async (body: Body) =>
  body instanceof Readable ? String(await buffer(body.pipe(new PassThrough()))) : body

test('a request without a body, and one whose body is all there, is sent again as it is', () => {
  for (const exchange of [exchangeOf(undefined), exchangeOf(Buffer.from('x'))])
    expect(repeatable(exchange, 0)()).toBe(exchange)
})

test('so is one whose body nobody has read, however large', async () => {
  const exchange = exchangeOf(Readable.from([Buffer.from('one'), Buffer.from('two')]), ['Expect', '100-continue'])
  const again = repeatable(exchange, 0)
  await nextTurn()
  expect(again()).toBe(exchange)
  expect(await rest(exchange.body)).toBe('onetwo')
})

test('what has passed comes again before the rest, as often as it must', async () => {
  const body = new Readable({ read() {} })
  const again = repeatable(exchangeOf(body, ['Expect', '100-continue', 'X', 'y']), 100)
  body.push('one ')
  body.push('two ')
  expect(await readSome(body, 2)).toBe('one two ')
  expect(again()?.fields.raw).toEqual(['X', 'y'])
  body.push('three ')
  expect(await readSome(body, 1)).toBe('one two ')
  expect(again()?.body).toBe(body)
  body.push(null)
  expect(await rest(body)).toBe('one two three ')
  expect(again()?.body).toEqual(Buffer.from('one two three '))
})

test('what is beyond the bound is lost with its first piece, and without a bound all of it', async () => {
  for (const mostBytes of [3, 0]) {
    const body = new Readable({ read() {} })
    const again = repeatable(exchangeOf(body), mostBytes)
    body.push('four')
    await readSome(body, 1)
    expect(again()).toBeUndefined()
  }
})

test('an empty body that has ended is sent again as an empty one', async () => {
  const body = Readable.from([])
  const again = repeatable(exchangeOf(body), 0)
  await rest(body)
  expect(again()?.body).toEqual(Buffer.alloc(0))
})

test('whoever else listens in hears it once', async () => {
  const body = new Readable({ read() {} })
  const kept = keep(body, 100)
  const [outer, inner] = [repeatable(exchangeOf(body), 100), repeatable(exchangeOf(body), 100)]
  body.push('one ')
  await readSome(body, 1)
  inner()
  body.push('two')
  body.push(null)
  expect(await rest(body)).toBe('one two')
  expect(String(await kept)).toBe('one two')
  expect(String(outer()?.body)).toBe('one two')
})
