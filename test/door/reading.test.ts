import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as immediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { readFrom } from '../../gateway/door/reading.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Both ends of a connection; the accepted one is as a door gets it. */
async function connection(): Promise<{ accepted: Socket; client: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  closing.push(
    () => client.destroy(),
    () => accepted.destroy(),
    () => server.close(),
  )
  return { accepted, client }
}

/** What has been taken, and a promise of so many bytes of it. */
function taking() {
  const pieces: Buffer[] = []
  let onMore = () => {}
  const text = () => Buffer.concat(pieces).toString('latin1')
  return {
    text,
    take(piece: Buffer) {
      pieces.push(piece)
      onMore()
    },
    until: (bytes: number) =>
      new Promise<string>((resolve) => {
        onMore = () => text().length >= bytes && resolve(text())
        onMore()
      }),
  }
}

test('what a client sends is taken without the stream hearing of it', async () => {
  const { accepted, client } = await connection()
  const { take, until } = taking()
  readFrom(accepted, take)
  const heard: Buffer[] = []
  accepted.on('data', (piece: Buffer) => heard.push(piece))
  client.write('one')
  await until(3)
  client.write('two')
  expect(await until(6)).toBe('onetwo')
  expect(heard).toEqual([])
})

test('nothing is taken during a pause, and all of it after, in order', async () => {
  const { accepted, client } = await connection()
  const { take, until, text } = taking()
  readFrom(accepted, take)
  client.write('a')
  await until(1)
  accepted.pause()
  // More than the stream holds, so that the connection itself is held back too.
  const sent = Array.from({ length: 40_000 }, (_, i) => `line ${i};`).join('')
  client.write(sent)
  while (accepted.readableLength === 0) await immediate()
  expect(text()).toBe('a')
  accepted.resume()
  expect(await until(1 + sent.length)).toBe(`a${sent}`)
})

test('whoever takes over reads a stream as any other, from the next byte on', async () => {
  const { accepted, client } = await connection()
  const [before, after] = [taking(), taking()]
  const stop = readFrom(accepted, before.take)
  client.write('before')
  await before.until(6)
  stop()
  accepted.pause()
  accepted.unshift(Buffer.from('kept '))
  accepted.on('data', after.take)
  accepted.resume()
  client.write('after')
  expect(await after.until(10)).toBe('kept after')
  expect(before.text()).toBe('before')
})

test('the end of what a client sends is heard', async () => {
  const { accepted, client } = await connection()
  const { take, text } = taking()
  readFrom(accepted, take)
  client.end('last')
  await once(accepted, 'end')
  expect(text()).toBe('last')
})
