// Event streams that were opened with a token of an issuer: they last no longer than it.
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startOrigin } from '../harness/origin.ts'
import { bearer, makeKey, publish, startGuarding, tokenBy } from './issuer.ts'

async function start(auth: string) {
  const key = await makeKey('one')
  const { file } = await publish([key])
  let gone = 0
  const origin = await startOrigin((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
    response.on('close', () => {
      gone += 1
    })
  })
  onTestFinished(origin.close)
  const gateway = await startGuarding({ url: origin.url, jwks: file, auth, issuer: 'clockTolerance: 0s' })
  const open = async (expiresIn: number): Promise<IncomingMessage> => {
    const asked = request(`${gateway.url}/mine/events`, { headers: bearer(await tokenBy(key, { expiresIn })) }).end()
    onTestFinished(() => void asked.destroy())
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    return answer
  }
  return { open, gone: () => gone }
}

test('a stream ends when its token does, whole for the client, and no other one with it', async () => {
  const { open } = await start('{ any: [jwt] }')
  const [other, stream] = [await open(600), await open(10)]
  other.resume()
  let text = ''
  for await (const piece of stream) text += String(piece)
  expect(text).toBe('data: 1\n\n')
  expect([stream.complete, other.complete, other.destroyed]).toEqual([true, false, false])
})

test('where it is only tried out who would be refused, streams go on', async () => {
  const enforced = await start('{ any: [jwt] }')
  const reporting = await start('{ any: [jwt], mode: report }')
  const goesOn = await reporting.open(10)
  goesOn.resume()
  // Opened later with as much time: when this one has ended, the time of the other is over too.
  const ends = await enforced.open(10)
  for await (const piece of ends) expect(String(piece)).toBe('data: 1\n\n')
  expect([goesOn.complete, goesOn.destroyed, reporting.gone()]).toEqual([false, false, 0])
})
