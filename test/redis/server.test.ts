// The real Redis of the tests, itself under test: what it promises, the tests of stores lean on.
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { startRedis } from './server.ts'

async function redisForTest(settings?: readonly string[]) {
  const redis = await startRedis(settings)
  onTestFinished(redis.stop)
  return redis
}

async function say(port: number, command: string, reply: RegExp): Promise<string> {
  const wire = await openWire(port, `${command}\r\n`)
  const received = await wire.until(reply)
  wire.socket.destroy()
  return received
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
    onTestFinished(() => void socket.destroy())
  })
}

test('two servers at a time share nothing', async () => {
  const [one, other] = [await redisForTest(), await redisForTest()]
  expect(one.url).toBe(`redis://127.0.0.1:${one.port}`)
  await say(one.port, 'SET place one', /OK/)
  expect(await say(other.port, 'GET place', /\r\n/)).toBe('$-1\r\n')
})

test('after a restart it is another process on the same port, and empty', async () => {
  const redis = await redisForTest()
  const { pid } = redis
  await say(redis.port, 'SET a 1', /OK/)
  await redis.restart()
  expect(redis.pid).not.toBe(pid)
  expect(await say(redis.port, 'DBSIZE', /\r\n/)).toBe(':0\r\n')
})

test('killed it refuses, frozen it takes connections and answers once it has thawed', async () => {
  const redis = await redisForTest()
  redis.freeze()
  const asked = say(redis.port, 'PING', /PONG/)
  let isAnswered = false
  void asked.then(() => {
    isAnswered = true
  })
  expect(await isRefused(redis.port)).toBe(false)
  expect(isAnswered).toBe(false)
  redis.thaw()
  await asked
  await redis.kill()
  expect(await isRefused(redis.port)).toBe(true)
})

test('stopping it ends it even while it is frozen or already dead', async () => {
  const [frozen, dead] = [await startRedis(), await startRedis()]
  frozen.freeze()
  await dead.kill()
  await Promise.all([frozen.stop(), dead.stop()])
  expect(() => process.kill(frozen.pid, 0)).toThrow('ESRCH')
})

test('takes settings of redis.conf', async () => {
  const redis = await redisForTest(['--requirepass', 'secret'])
  await say(redis.port, 'GET a', /-NOAUTH/)
})
