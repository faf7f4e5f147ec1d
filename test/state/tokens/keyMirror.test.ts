// What issuers gave, kept for a start while they are away.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeKey, tokenBy } from '../../journey/issuer.ts'
import { createWorld, settingsOf, startIssuer, until, why } from './world.ts'

async function start() {
  const stateDir = await mkdtemp(join(tmpdir(), 'banyan-issuers-'))
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }))
  const [key, next] = [await makeKey('one'), await makeKey('next')]
  const issuer = await startIssuer(key)
  const settings = settingsOf({ from: 'url', url: issuer.url }, { lastGoodMs: 3_600_000 })
  /** A gateway that has asked the issuer, or has tried to. */
  const started = async () => {
    const world = createWorld(stateDir)
    world.tokens.follow([settings])
    await until(() => world.changes.length > 0)
    return world
  }
  return { stateDir, issuer, key, next, started, longLived: await tokenBy(key, { expiresIn: 100_000 }) }
}

test('a gateway that starts while an issuer is away goes on with its last keys, no longer than lastGood since they were given', async () => {
  const { stateDir, issuer, started, longLived } = await start()
  const before = await started()
  expect(why(await before.check(longLived))).toBe('passed')
  await before.tokens.close()
  const [name = ''] = await readdir(join(stateDir, 'issuers'))
  const file = join(stateDir, 'issuers', name)
  const kept = JSON.parse(await readFile(file, 'utf8')) as { givenAtMs: number }
  await writeFile(file, JSON.stringify({ ...kept, givenAtMs: kept.givenAtMs - 1_800_000 }))
  issuer.keys = undefined
  const after = await started()
  after.advance(900_000)
  expect(why(await after.check(longLived))).toBe('passed')
  expect(after.tokens.views()[0]).toMatchObject({ keys: 1, isTrusted: true, trouble: 'it answered 503' })
  after.advance(900_000)
  expect(why(await after.check(longLived))).toBe('unavailable')
})

test('what an issuer does not name any more after the start is withdrawn', async () => {
  const { issuer, next, started, longLived } = await start()
  await (await started()).tokens.close()
  issuer.keys = [next]
  const after = await started()
  await until(() => after.tokens.views()[0]?.trouble === undefined)
  expect([why(await after.check(longLived)), why(await after.check(await tokenBy(next)))]).toEqual(['key', 'passed'])
})

test('what another process has left there, or nobody can read, is told and opens nothing', async () => {
  const { stateDir, issuer, started, longLived } = await start()
  await (await started()).tokens.close()
  const [file = ''] = await readdir(join(stateDir, 'issuers'))
  issuer.keys = undefined
  await writeFile(join(stateDir, 'issuers', file), 'torn')
  const after = await started()
  expect(why(await after.check(longLived))).toBe('unavailable')
  expect(after.failures).toHaveLength(1)
})
