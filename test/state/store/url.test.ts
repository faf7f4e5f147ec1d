// Where a store is, and that its password stays between it and Redis.
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createStore, readStoreUrl } from '../../../gateway/state/store.ts'
import { freePort } from '../../redis/server.ts'
import { clock, everyCall, openStore, redisForTest, timed } from './stores.ts'

test.each([
  ['memory:', { kind: 'memory' }],
  ['redis://cache.internal', { kind: 'redis', host: 'cache.internal', port: 6379, secure: false, database: 0 }],
  [
    'rediss://ban:p%40ss%2F@[::1]:7000/12',
    { kind: 'redis', host: '::1', port: 7000, secure: true, database: 12, username: 'ban', password: 'p@ss/' },
  ],
  ['redis://:only@h/', { kind: 'redis', host: 'h', port: 6379, secure: false, database: 0, password: 'only' }],
])('%s is read', (url, address) => {
  expect(readStoreUrl(url)).toEqual(address)
})

test.each([
  ['', 'the store is no URL'],
  ['memory', 'the store is no URL'],
  ['redis://:s3cret@h:99999', 'the store is no URL'],
  ['http://:s3cret@h', 'a store cannot be at http:'],
  ['redis://', 'parts too many or too few'],
  ['redis://:s3cret@h/db', 'parts too many or too few'],
  ['redis://:s3cret@h/1?family=6', 'parts too many or too few'],
  ['redis://:s3cret%@h', 'percent-encoded'],
])('%j is refused with a sentence that keeps the secret', async (url, sentence) => {
  const options = { replicaId: 'a', clock, random: Math.random, onFailure: () => {} }
  const { thrown } = await timed(() => createStore(url, options))
  expect(thrown).toMatchObject({ message: expect.stringContaining(sentence) })
  expect(inspect(thrown, { depth: 9 })).not.toContain('s3cret')
})

test('a user and password open the store', async () => {
  const { port } = await redisForTest(['--requirepass', 'p@ss word'])
  const store = await openStore(`redis://:p%40ss%20word@127.0.0.1:${port}`)
  expect(await store.setIfAbsent('split', 'key', 'x')).toBe('x')
})

test('a wrong password is why the store is down, and is told to nobody', async () => {
  const { port } = await redisForTest(['--requirepass', 'right'])
  const store = await openStore(`redis://ada:s3cret@127.0.0.1:${port}`)
  expect(store.state()).toMatchObject({ is: 'down', why: expect.stringContaining('WRONGPASS') })
  const thrown = await Promise.all(
    Object.values(everyCall).map(async (call) => (await timed(() => call(store))).thrown),
  )
  expect(inspect([thrown, store, store.state()], { depth: 20, showHidden: true })).not.toContain('s3cret')
})

test('a missing password is why the store is down', async () => {
  const { url } = await redisForTest(['--requirepass', 'right'])
  expect((await openStore(url)).state()).toMatchObject({ is: 'down', why: expect.stringContaining('NOAUTH') })
})

test('over TLS only a Redis is spoken to whose certificate somebody vouches for', async () => {
  const pem = fileURLToPath(new URL('../../ops/self-signed.pem', import.meta.url))
  const port = await freePort()
  const files = ['--tls-cert-file', pem, '--tls-key-file', pem, '--tls-ca-cert-file', pem, '--tls-auth-clients', 'no']
  await redisForTest(['--tls-port', String(port), ...files])
  const refused = await openStore(`rediss://127.0.0.1:${port}`)
  expect(refused.state()).toMatchObject({ is: 'down', why: expect.stringMatching(/self[- ]signed certificate/) })
  const usual = getCACertificates('default')
  onTestFinished(() => setDefaultCACertificates(usual))
  setDefaultCACertificates([...usual, readFileSync(pem, 'utf8')])
  const trusted = await openStore(`rediss://localhost:${port}`)
  expect(trusted.state()).toMatchObject({ is: 'up' })
  expect(await trusted.setIfAbsent('split', 'key', 'x')).toBe('x')
})
