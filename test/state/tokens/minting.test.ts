// The gateway's own keys and tokens while the clock is set back, and after somebody else has written their file.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import type { SigningSettings } from '../../../gateway/model.ts'
import { createMint } from '../../../gateway/state/tokens/minting.ts'
import { createSigningKeys } from '../../../gateway/state/tokens/signingKeys.ts'

const hourMs = 3_600_000
const settings: SigningSettings = {
  ...{ issuer: 'banyan', algorithm: 'ES256', isPublic: false },
  lifeMs: 300_000,
  rotateMs: 24 * hourMs,
}

function signing() {
  const time = { nowMs: 1_000 * hourMs }
  const clock = { wall: () => time.nowMs }
  const told: unknown[] = []
  const keys = createSigningKeys({ clock, store: () => undefined, told: (change) => told.push(change) })
  const mint = createMint(clock, keys)
  keys.follow(settings)
  mint.follow(settings)
  return { time, keys, mint, told }
}

test('after the clock was set back no token is given that is of a time to come', async () => {
  const { time, keys, mint } = signing()
  await keys.look()
  const early = await mint.of(undefined, 's')
  expect(await mint.of(undefined, 's')).toBe(early)
  time.nowMs -= hourMs
  expect(decodeJwt(await mint.of(undefined, 's')).iat).toBe(time.nowMs / 1_000)
})

test.each(['{}', 'null', '[]', '{"keys":', '{"keys":[{}]}', '{"keys":[{"id":"a","signsFromMs":0,"jwk":{}}]}'])(
  'of a file that says %s new keys are made, and that is told',
  async (text) => {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
    await mkdir(join(folder, 'keys'))
    await writeFile(join(folder, 'keys', 'signing.json'), text)
    const { keys, mint, told } = signing()
    await keys.open(folder)
    await keys.look()
    expect(await mint.of(undefined, 's')).toMatch(/^eyJ/)
    expect(told).toEqual([{ trouble: expect.stringContaining('it makes new ones') }, { signer: keys.signer()?.id }])
  },
)
