import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)

test.each(['README.md', 'gateway/README.md', 'CONTRIBUTING.md', 'docs/guarantees.md'])(
  'every test that %s names is there',
  (page) => {
    const text = readFileSync(new URL(page, root), 'utf8')
    const named = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, path = '']) => path)
    expect(named).not.toEqual([])
    expect(named.filter((path) => !existsSync(fileURLToPath(new URL(path, root))))).toEqual([])
  },
)

test('README.md pins no line of routes.yaml, which moves with every edit', () => {
  expect(readFileSync(new URL('README.md', root), 'utf8').match(/routes\.yaml:\d+/g)).toBeNull()
})
