// Clients and upstreams that mean harm: none of them holds, fills or overtakes what others need.
import { afterEach, expect, test } from 'vitest'
import { exchangeBytes, openWire } from '../harness/wire.ts'
import { until } from '../state/store/stores.ts'
import { answerOf, openPlace, type Place } from './place.ts'

let place: Place
afterEach(() => place.close())

const inFlight = () => place.gateway.metric('banyan_requests_in_flight')

const untilNothingIsInFlight = () => until(async () => (await inFlight()) === 0)

test.each(['/', 'http://h/'])(
  'a client of %s that stops reading is cut, and the upstream is free of it',
  async (target) => {
    place = await openPlace(undefined, { stallMs: 1 })
    const upstreamGone = new Promise<void>((resolve) => {
      place.onConnection = (socket) => {
        socket.once('close', () => resolve())
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
          const more = () => {
            while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024))) {}
          }
          socket.on('drain', more)
          more()
        })
      }
    })
    const wire = await openWire(place.port)
    wire.socket.pause()
    wire.socket.write(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
    await upstreamGone
    const line = await place.gateway.line(({ msg }) => msg === 'exchange')
    expect(line).toMatchObject({ status: 200, outcome: 'clientGone' })
    wire.socket.destroy()
  },
)

// The absolute form is the general door's business.
const first = 'GET http://h/first HTTP/1.1\r\nHost: h\r\n\r\n'
const posts = 'POST /next HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n'.repeat(50)
const last = 'GET /last HTTP/1.1\r\nHost: h\r\n\r\n'

test('of pipelined requests one runs at a time, at the general door too', async () => {
  place = await openPlace()
  let underWay = 0
  let mostUnderWay = 0
  place.onConnection = (socket) => {
    socket.on('data', (bytes) => {
      const head = bytes.toString()
      underWay += head.split('HTTP/1.1\r\n').length - 1
      mostUnderWay = Math.max(mostUnderWay, underWay)
      // Whatever else were under way would come before this.
      void inFlight().then(() => {
        underWay -= 1
        socket.write(answerOf(head.startsWith('GET /last') ? 'last' : '.'))
      })
    })
  }
  const wire = await openWire(place.port, first + posts + last)
  const received = await wire.until(/last$/)
  expect(received.split('HTTP/1.1 200 ')).toHaveLength(53)
  expect(mostUnderWay).toBe(1)
  wire.socket.destroy()
})

test('who leaves with requests in line leaves nothing behind', async () => {
  place = await openPlace()
  const asked = new Promise<void>((resolve) => {
    place.onConnection = (socket) => socket.once('data', () => resolve())
  })
  const wire = await openWire(place.port, first + posts)
  await asked
  expect(await inFlight()).toBe(1)
  wire.socket.destroy()
  await untilNothingIsInFlight()
})

test('interim answers without end do not pile up for a client that does not read', async () => {
  place = await openPlace()
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(1_000)}>\r\n\r\n`
  const flooded = new Promise<void>((resolve) => {
    place.onConnection = (socket) => {
      socket.once('data', () => socket.write(hint.repeat(50_000), () => resolve()))
      void flooded.then(() => socket.write(answerOf('last')))
    }
  })
  const wire = await openWire(place.port)
  wire.socket.pause()
  wire.socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await flooded
  wire.socket.resume()
  expect((await wire.until(/last$/)).length).toBeLessThan(20_000_000)
  wire.socket.destroy()
})

const handshake = 'GET /live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

test('a refusal of a handshake arrives whole, however long it is', async () => {
  place = await openPlace()
  const page = 'x'.repeat(4_000_000)
  place.onConnection = (socket) => {
    socket.once('data', () => socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${page.length}\r\n\r\n${page}`))
  }
  const { received, isClean } = await exchangeBytes(place.port, handshake)
  expect([received.endsWith(`\r\n\r\n${page}`), isClean]).toEqual([true, true])
  await untilNothingIsInFlight()
})

test('a client that leaves in its handshake ends the upstream leg', async () => {
  place = await openPlace()
  const wire = await openWire(place.port)
  await new Promise<void>((resolve) => {
    place.onConnection = (socket) => {
      socket.once('data', () => wire.socket.end())
      socket.once('end', () => resolve())
    }
    wire.socket.write(handshake)
  })
  await untilNothingIsInFlight()
})

test('a CONNECT behind an answer under way does not stop it', async () => {
  place = await openPlace()
  const page = 'x'.repeat(4_000_000)
  place.onConnection = (socket) => {
    socket.on('data', () => socket.write(answerOf(page)))
  }
  const connect = 'CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n'
  const { received } = await exchangeBytes(place.port, `${first}${first}${connect}`)
  expect(received.split(page)).toHaveLength(3)
  expect(received).toContain('HTTP/1.1 501 ')
  await untilNothingIsInFlight()
})
