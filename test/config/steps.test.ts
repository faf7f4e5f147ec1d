import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createLive } from '../../gateway/config/live.ts'
import { load } from '../../gateway/config/load.ts'
import { atOnce, inTurns, type Steps } from '../../gateway/config/steps.ts'
import { hashOf } from '../../gateway/files/content.ts'
import { createMirror } from '../../gateway/state/mirror.ts'
import { kinds } from './kinds.ts'
import { makeFolder, noRollouts, services, sound } from './world.ts'

function* three(): Steps<string> {
  yield
  yield
  return 'done'
}

test('work in steps comes to the same at once and in turns', async () => {
  expect(atOnce(three())).toBe('done')
  expect(await inTurns(three())).toBe('done')
})

test('requests get their turn while a file of a thousand routes is read', async () => {
  const folder = await makeFolder()
  const routes = Array.from(
    { length: 1000 },
    (_, i) => `  - { name: r${i}, match: { path: /p${i} }, upstream: monolith }`,
  )
  const text = `${sound(1)}routes:\n${routes.join('\n')}\n`
  const mirror = createMirror(() => {})
  const loading = {
    file: `${folder}/routes.yaml`,
    kinds,
    env: {},
    services,
    live: createLive(),
    mirror,
    rollouts: noRollouts,
  }
  let isLoaded = false
  const loaded = load({ text, hash: hashOf(text) }, loading).finally(() => {
    isLoaded = true
  })
  let turns = 0
  while (!isLoaded) {
    await turn()
    turns += 1
  }
  expect(await loaded).toMatchObject({ ok: true, snapshot: { revision: 1 } })
  await mirror.idle()
  // Lexing and parsing alone are some 30 000 lexemes here.
  expect(turns).toBeGreaterThan(10)
})
