import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'

const source = new URL('../../gateway/ops/lines.ts', import.meta.url).href

test('a process that ends while its reader is behind loses no line', async () => {
  const program = `
    import { Lines } from ${JSON.stringify(source)}
    const lines = new Lines(1)
    for (let i = 0; i < 40000; i += 1) lines.write(i + ' ' + 'x'.repeat(100) + '\\n')
    await lines.close()
    process.exit(lines.dropped)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const found = (await text(child.stdout)).trimEnd().split('\n')
  expect(await ended).toEqual([0, null])
  expect(found.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 40_000 }, (_, i) => i))
})
