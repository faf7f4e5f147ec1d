// The grep for planted secrets, itself under test: one that finds nothing would never fail.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeKey } from '../../gateway/identity/keyFormat.ts'
import { makeKey as makeSigningKey, tokenBy } from '../journey/issuer.ts'
import { startTestGateway } from './gateway.ts'
import { filesIn, plant, refuseSecrets, secretsIn } from './planted.ts'
import { newFolder, runToEnd } from './process.ts'

const yaml = (route: string, more = '') => `
upstreams: { nobody: { url: "http://127.0.0.1:9" } }
unmatched: nobody
routes: [{ name: ${route}, match: { path: /x }, upstream: nobody }]
${more}`

test('a gateway that has written a planted secret, or tells it, cannot be closed without an error', async () => {
  const gateway = await startTestGateway(yaml(plant('route')))
  await fetch(`${gateway.url}/x`)
  const error: Error = await gateway.close().then(
    () => Promise.reject(new Error('it was found nowhere')),
    (thrown) => thrown,
  )
  for (const place of ['/out.log: ', '/metrics: ', '/status: ']) expect(error.message).toContain(place)
  // The test's own file may have it, its copy in stateDir may not.
  expect(error.message).toContain('/var/lastAccepted.yaml: ')
  expect(error.message).not.toContain('/routes.yaml: ')
})

test('a folder of state that is elsewhere is looked through too', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'banyan-planted-'))
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }))
  for (const gateway of [
    await startTestGateway(yaml('x'), undefined, { env: { BANYAN_STATE_DIR: stateDir } }),
    await startTestGateway(yaml('x', `stateDir: ${stateDir}`)),
  ]) {
    await mkdir(join(stateDir, 'deep'), { recursive: true })
    await writeFile(join(stateDir, 'deep', 'x.json'), plant('state'))
    await expect(gateway.close()).rejects.toThrow('deep/x.json')
    await rm(join(stateDir, 'deep'), { recursive: true })
  }
})

test('a start that fails with one is found, and so is what a process has said', async () => {
  const wrong = `${plant('key')}: 7\n`
  await expect(startTestGateway(wrong)).rejects.toThrow('secrets were written')
  await expect(runToEnd(await newFolder(wrong))).rejects.toThrow('stderr: ')
})

test('it is found however it is written', async () => {
  const secret = plant('x')
  const spelt = [secret, secret.toUpperCase(), Buffer.from(secret).toString('hex')]
  for (const before of ['', 'u:', 'user:', 'alice:']) {
    spelt.push(Buffer.from(before + secret).toString('base64'), Buffer.from(before + secret).toString('base64url'))
  }
  for (const text of spelt) expect([text, secretsIn(`"reason":"it was ${text} again"`).length]).toEqual([text, 1])
})

test('keys of ours, tokens and private keys are known by their looks', async () => {
  const key = makeKey('live', (count) => new Uint8Array(count).fill(7))
  const signed = await tokenBy(await makeSigningKey('k'), { claims: { jti: undefined } })
  for (const text of [key, signed, `bya_${'x'.repeat(43)}`, '-----BEGIN EC PRIVATE KEY-----'])
    expect(() => refuseSecrets([{ name: 'log', text: `<${text}>` }])).toThrow('log: …')
  // What is public of them is not one.
  expect(secretsIn(`${key.slice(0, 17)} bya_… eyJ -----BEGIN PUBLIC KEY-----`)).toEqual([])
})

test('what is a secret by purpose is passed over, by its name alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-planted-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['splitKey', 'signing.json', 'peppers', 'routes.yaml', 'rollouts.json'])
    await writeFile(join(folder, name), 'x')
  expect((await filesIn(folder)).map(({ name }) => name)).toEqual([join(folder, 'rollouts.json')])
})
