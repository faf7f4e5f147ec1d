import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../gateway/state/folder.ts'

test('a folder is made with those above it, and may be there already', () => {
  const top = mkdtempSync(join(tmpdir(), 'banyan-folder-'))
  makeFolder(join(top, 'a', 'b', 'c'))
  makeFolder(join(top, 'a', 'b', 'c'))
  expect(statSync(join(top, 'a', 'b', 'c')).isDirectory()).toBe(true)
  writeFileSync(join(top, 'file'), '')
  expect(() => makeFolder(join(top, 'file', 'x'))).toThrow(/ENOTDIR/)
  rmSync(top, { recursive: true })
})

test.runIf(process.platform === 'linux')('where the system has no room for folders it gives up', () => {
  expect(() => makeFolder('/proc/nowhere/x')).toThrow(/ENOENT/)
})
